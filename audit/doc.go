// Package audit is the record that an auditor verifies offline: an append-only
// Merkle log with signed checkpoints.
//
// Leaves are opaque bytes (canonical JSON of an audit record). Hashing is that
// of RFC 6962 section 2.1, with its domain separation between leaves and nodes,
// by golang.org/x/mod/sumdb/tlog. A [Checkpoint] is a C2SP tlog-checkpoint
// (https://c2sp.org/tlog-checkpoint), and [Export] writes a log as a folder in
// the layout of C2SP tlog-tiles (https://c2sp.org/tlog-tiles), which clients of
// other logs read as well. [Verify] needs that folder and the public key, no
// database and no network.
//
// The log's leaves and hashes live where the state lives, in one transaction
// with it: the package computes what to store ([Append]) and reads through the
// small port [Source]; audit/audittest holds the suite that every
// implementation of the port passes.
//
// What a log proves: each record is as it was when the checkpoint was signed,
// and none is missing, added or moved. What it cannot prove alone is that there
// is no later checkpoint; truncation shows only against a checkpoint that the
// verifier has kept ([VerifyConfig].Since). [Report] therefore always tells the
// age of the checkpoint.
//
// Payloads that can carry secrets stay outside of the leaves: a [Vault]
// encrypts them and makes the keyed commitment that stands in the leaf.
//
// Layer: may import the words only.
package audit
