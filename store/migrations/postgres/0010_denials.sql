-- Whose denials are looked for after which change, and the denials.
CREATE TABLE IF NOT EXISTS watches (
  principal TEXT COLLATE "C" NOT NULL, remediation TEXT COLLATE "C" NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (principal, remediation));
CREATE TABLE IF NOT EXISTS denials (
  remediation TEXT COLLATE "C" NOT NULL, id TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, body TEXT COLLATE "C" NOT NULL, PRIMARY KEY (remediation, id));
