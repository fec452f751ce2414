-- Whose denials are looked for after which change, and the denials.
CREATE TABLE IF NOT EXISTS watches (
  principal TEXT NOT NULL, remediation TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (principal, remediation)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS denials (
  remediation TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (remediation, id)) STRICT, WITHOUT ROWID;
