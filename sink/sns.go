package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Publication is what is published to a topic of Amazon SNS.
type Publication struct {
	Topic      string // ARN
	Subject    string // up to 99 characters of ASCII, one line
	Body       string // JSON, up to 256 KB
	Attributes map[string]string
	// Group and Deduplication are set for topics that keep the order (FIFO).
	Group, Deduplication string
}

// Publisher publishes to topics. Its errors say by RetryAfter and Permanent what is worth
// trying again.
type Publisher interface {
	Publish(ctx context.Context, p Publication) error
}

// SNS publishes messages to a topic, each on its own: who subscribes filters by
// attributes.
type SNS struct {
	topic string
	to    Publisher
}

// NewSNS returns the sender for a topic.
func NewSNS(topic string, to Publisher) *SNS { return &SNS{topic, to} }

// mostBody is what SNS takes in one message.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const mostBody = 256 << 10

// Send implements Sink. Where one of several fails, all are sent again: subscribers may
// drop doubles by the ID.
func (s *SNS) Send(ctx context.Context, list []Message) error {
	for _, m := range list {
		body, err := json.Marshal(m)
		if err == nil && len(body) > mostBody-1024 {
			m.Diff, m.Commands = []string{"too long to be sent: dera show " + m.Remediation}, nil
			body, err = json.Marshal(m)
		}
		if err != nil {
			return &PermanentError{fmt.Errorf("write the message: %w", err)}
		}
		p := Publication{Topic: s.topic, Subject: subject(m.title()), Body: string(body), Attributes: map[string]string{}}
		severity := ""
		if m.Severity != 0 {
			severity = m.Severity.String()
		}
		for name, value := range map[string]string{"what": m.What, "severity": severity, "control": m.Control, "account": m.Account, "owner": oneLine(m.Owner), "id": m.ID} {
			if value != "" {
				p.Attributes[name] = cut(value, 250)
			}
		}
		if strings.HasSuffix(s.topic, ".fifo") {
			p.Group, p.Deduplication = "dera", m.ID
		}
		if err := s.to.Publish(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// subject is a line of ASCII of at most 99 characters that begins with a letter.
func subject(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, "dera: "+oneLine(s))
	return s[:min(len(s), 99)]
}
