-- How many findings are open, by severity, is read for metrics every few seconds.
CREATE INDEX IF NOT EXISTS findings_by_state ON findings (state, severity);
