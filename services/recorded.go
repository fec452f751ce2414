package services

import (
	"io"

	rebuilt "dera.example/dera/services/iam/recorded"
)

// RecordedAccount is the identities of an account as recorded calls make and change them.
type RecordedAccount = rebuilt.Account

// LoadRecorded reads the identities of an account as IAM told them.
func LoadRecorded(from io.Reader) (*RecordedAccount, error) { return rebuilt.Load(from) }

// NewRecorded is an account of which nothing is known.
func NewRecorded(partition, account string) *RecordedAccount { return rebuilt.New(partition, account) }
