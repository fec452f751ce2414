package sink

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer answers as it is asked to, command by command.
type mailServer struct {
	mu      sync.Mutex
	mails   []string
	answers map[string]string // by command; "drop" closes the connection, "hang" says nothing
}

func (s *mailServer) start(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(c)
		}
	}()
	return l.Addr().String()
}

func (s *mailServer) talk(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	say := func(key, usual string) bool {
		s.mu.Lock()
		text, ok := s.answers[key]
		s.mu.Unlock()
		switch {
		case !ok:
			text = usual
		case text == "drop":
			return false
		case text == "hang":
			_, _ = io.Copy(io.Discard, in)
			return false
		}
		_, err := fmt.Fprintf(c, "%s\r\n", text)
		return err == nil
	}
	if !say("connect", "220 test") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		word := strings.ToUpper(strings.Fields(line + " x")[0])
		usual := "250 ok"
		if word == "DATA" {
			if !say("DATA", "354 go on") {
				return
			}
			var b strings.Builder
			for {
				l, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				b.WriteString(l)
			}
			s.mu.Lock()
			s.mails = append(s.mails, b.String())
			s.mu.Unlock()
			word = "END"
		}
		if !say(word, usual) {
			return
		}
	}
}

// TestMail: a server that misbehaves, and texts that would end a header.
func TestMail(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answers   map[string]string
		good      bool
		permanent bool
	}{
		"good":                 {nil, true, false},
		"busy":                 {map[string]string{"connect": "421 busy"}, false, false},
		"greylisted":           {map[string]string{"RCPT": "450 later"}, false, false},
		"no_such_mailbox":      {map[string]string{"RCPT": "550 unknown"}, false, true},
		"sender_refused":       {map[string]string{"MAIL": "553 no"}, false, true},
		"authentication":       {map[string]string{"MAIL": "530 authenticate first"}, false, false},
		"too_big":              {map[string]string{"END": "552 too big"}, false, true},
		"after_effect":         {map[string]string{"END": "drop"}, false, false},
		"dropped":              {map[string]string{"connect": "drop"}, false, false},
		"hangs":                {map[string]string{"DATA": "hang"}, false, false},
		"huge_answer":          {map[string]string{"MAIL": "250-" + strings.Repeat("a", 1<<20)}, false, false},
		"quit_is_not_answered": {map[string]string{"QUIT": "drop"}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &mailServer{answers: tt.answers}
			timeout := time.Minute                        // a busy machine is no failure
			if name == "hangs" || name == "huge_answer" { // which never ends
				timeout = 300 * time.Millisecond
			}
			m, err := NewMail(MailConfig{Server: s.start(t), From: "dera@example.com", To: []string{"Team A <a@example.com>"}, Now: fixed, Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			err = m.Send(t.Context(), []Message{hostile()})
			if (err == nil) != tt.good || Permanent(err) != tt.permanent || err != nil && len(err.Error()) > 300 {
				t.Errorf("got %v, want good %t, permanent %t", err, tt.good, tt.permanent)
			}
			if !tt.good {
				return
			}
			got, err := mail.ReadMessage(strings.NewReader(s.mails[0]))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, got.Body))
			if err != nil || got.Header.Get("Bcc") != "" || len(got.Header) != 9 || got.Header.Get("Message-ID") != "<m-1@example.com>" || !strings.Contains(string(body), "Why: ") {
				t.Errorf("got %v %v", err, got.Header)
			}
		})
	}
}

// TestMailInTheClear: a server on another machine that offers no STARTTLS gets nothing.
func TestMailInTheClear(t *testing.T) {
	t.Parallel()
	s := &mailServer{}
	_, port, err := net.SplitHostPort(s.start(t))
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMail(MailConfig{Server: "127.0.0.1:" + port, From: "a@example.com", To: []string{"b@example.com"}, Now: fixed})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client, err := smtp.NewClient(c, "mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.secure(client, "mail.example.com"); err == nil || !strings.Contains(err.Error(), "STARTTLS") || len(s.mails) > 0 {
		t.Errorf("got %v, want a refusal", err)
	}
	for _, cfg := range []MailConfig{{Server: "a", From: "a@b.c", To: []string{"a@b.c"}}, {Server: "a:1", From: "a", To: []string{"a@b.c"}}, {Server: "a:1", From: "a@b.c"},
		{Server: "a:1", From: "a@b.c", To: []string{"a@b.c\r\nBcc: x@y.z"}}} {
		if _, err := NewMail(cfg); err == nil {
			t.Errorf("%v: got no error", cfg)
		}
	}
}
