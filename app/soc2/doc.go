// Package soc2 makes an evidence pack for a SOC 2 audit beside an exported audit log, and verifies it:
// for each criterion the controls, the population of a period, a sample that the auditee cannot choose,
// and the records of what was sampled with proofs that they are in the log.
//
// Everything but the texts for people is made from the records of the log alone, so that Verify makes
// it again and compares; a record of the log names the hash of all files. Layer: may import what app may.
package soc2
