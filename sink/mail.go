package sink

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"
)

// Mail sends messages by SMTP. STARTTLS is required, but for a server on this machine.
type Mail struct {
	cfg  MailConfig
	from *mail.Address
	to   []*mail.Address
}

// MailConfig is by which server, from whom and to whom.
type MailConfig struct {
	Server   string // host:port
	User     string // "" for none
	Password string
	From     string
	To       []string
	TLS      *tls.Config // nil for the system's roots
	Now      func() time.Time
	Timeout  time.Duration // of all of it; 0 is 20 s
}

// NewMail returns the sender.
func NewMail(cfg MailConfig) (*Mail, error) {
	m := &Mail{cfg: cfg}
	if _, _, err := net.SplitHostPort(cfg.Server); err != nil {
		return nil, fmt.Errorf("url: %q is no host:port of a mail server", cfg.Server)
	}
	var err error
	if m.from, err = mail.ParseAddress(cfg.From); err != nil {
		return nil, fmt.Errorf("from: %q is no mail address", cfg.From)
	}
	if len(cfg.To) == 0 {
		return nil, errors.New("to: nobody is named")
	}
	for _, text := range cfg.To {
		to, err := mail.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("to: %q is no mail address", text)
		}
		m.to = append(m.to, to)
	}
	return m, nil
}

// Send implements Sink. One mail holds all messages.
func (m *Mail) Send(ctx context.Context, list []Message) error {
	if len(list) == 0 {
		return nil
	}
	timeout := m.cfg.Timeout
	if timeout == 0 {
		timeout = requestTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	host, _, err := net.SplitHostPort(m.cfg.Server)
	if err != nil {
		return &PermanentError{err}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.cfg.Server)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	defer conn.Close() // closed already where all went well
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return m.failed(err)
	}
	if err := m.secure(c, host); err != nil {
		return err
	}
	if err := m.envelope(c); err != nil {
		return m.failed(err)
	}
	w, err := c.Data()
	if err != nil {
		return m.failed(err)
	}
	if _, err = w.Write(m.compose(list)); err != nil {
		return m.failed(err)
	}
	if err := w.Close(); err != nil {
		return m.failed(err)
	}
	_ = c.Quit() // the server has taken it
	return nil
}

// secure encrypts the connection and says who we are. smtp.PlainAuth sends no password
// over a connection that is not encrypted, but to this machine.
func (m *Mail) secure(c *smtp.Client, host string) error {
	can, _ := c.Extension("STARTTLS")
	switch {
	case can:
		cfg := &tls.Config{}
		if m.cfg.TLS != nil {
			cfg = m.cfg.TLS.Clone()
		}
		cfg.ServerName, cfg.MinVersion = host, tls.VersionTLS12
		if err := c.StartTLS(cfg); err != nil {
			return m.failed(err)
		}
	case !loopback(host):
		return errors.New("the mail server offers no STARTTLS, so that anybody on the way could read it: nothing was sent")
	}
	if m.cfg.User == "" {
		return nil
	}
	if err := c.Auth(smtp.PlainAuth("", m.cfg.User, m.cfg.Password, host)); err != nil {
		return fmt.Errorf("the mail server does not accept the user and password: %w", m.plain(err)) // a person can put it right
	}
	return nil
}

func (m *Mail) envelope(c *smtp.Client) error {
	if err := c.Mail(m.from.Address); err != nil {
		return err
	}
	for _, to := range m.to {
		if err := c.Rcpt(to.Address); err != nil {
			return err
		}
	}
	return nil
}

// failed classes an answer: 5xx but for authentication (53x) is permanent.
//
// https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
func (m *Mail) failed(err error) error {
	var code *textproto.Error
	if errors.As(err, &code) && code.Code >= 500 && code.Code/10 != 53 {
		return &PermanentError{fmt.Errorf("the mail server refuses it: %w", m.plain(err))}
	}
	return fmt.Errorf("mail server: %w", m.plain(err))
}

func (m *Mail) plain(err error) error {
	p := poster{secrets: []string{m.cfg.Password}}
	return errors.New(cut(oneLine(p.plain(err.Error())), 200))
}

// compose writes the mail. All headers are of one line.
func (m *Mail) compose(list []Message) []byte {
	var b bytes.Buffer
	head := func(name, value string) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, strings.Join(strings.Fields(value), " "))
	}
	_, domain, _ := strings.Cut(m.from.Address, "@")
	var to []string
	for _, a := range m.to {
		to = append(to, a.String())
	}
	head("From", m.from.String())
	head("To", strings.Join(to, ", "))
	head("Subject", mime.QEncoding.Encode("utf-8", cut(titleOf(list), 200)))
	head("Date", m.cfg.Now().UTC().Format(time.RFC1123Z))
	head("Message-ID", "<"+atoms(IDOf(list))+"@"+atoms(domain)+">")
	head("Auto-Submitted", "auto-generated")
	head("MIME-Version", "1.0")
	head("Content-Type", "text/plain; charset=utf-8")
	head("Content-Transfer-Encoding", "base64")
	b.WriteString("\r\n")
	text := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(textOf(list), "\n", "\r\n")))
	for len(text) > 0 {
		n := min(len(text), 76)
		b.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
	return b.Bytes()
}

// atoms is a text with only what an ID of a mail may have.
func atoms(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._", c) {
			return c
		}
		return '-'
	}, s)
}
