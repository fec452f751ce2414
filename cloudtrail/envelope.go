package cloudtrail

import (
	"encoding/json"
	"fmt"
	"strings"
)

// SkimEvent reads the fields of the record in an event: an EventBridge envelope,
// plain or in an SNS notification. trusted is as Record.Trusted. The errors are
// those of Decode.
func (f *Fields) SkimEvent(raw []byte) (trusted bool, err error) {
	if len(raw) > MaxSize {
		return false, fmt.Errorf("read event of %d bytes: %w", len(raw), ErrTooLarge)
	}
	if !json.Valid(raw) {
		return false, fmt.Errorf("read event: %w", ErrNotJSON)
	}
	envelope, err := level(raw)
	if err != nil {
		return false, err
	}
	if envelope.text("Type") == "Notification" && envelope.text("Message") != "" {
		message := []byte(envelope.text("Message"))
		if !json.Valid(message) {
			return false, fmt.Errorf("read SNS message: %w", ErrNotJSON)
		}
		if envelope, err = level(message); err != nil {
			return false, err
		}
	}
	if err := f.skimEnvelope(envelope); err != nil {
		return false, fmt.Errorf("read event: %w", err)
	}
	return strings.HasPrefix(envelope.text("source"), "aws.") && envelope.text("account") == string(Text(f.Account)) &&
		envelope.text("region") == string(Text(f.Region)), nil
}
