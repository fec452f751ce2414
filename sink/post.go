package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of one request. An answer is read up to mostAnswer, whatever its length is.
const (
	mostAnswer     = 1 << 20
	requestTimeout = 20 * time.Second
	mostWait       = time.Hour // for which a receiver can ask
)

var errTooMuch = errors.New("more")

// Client is an HTTP client as senders need it: it follows no redirect, so that
// credentials reach only the receiver that the configuration names, and gives up in time.
func Client(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// poster sends requests to one receiver. Its errors hold neither the path of the URL,
// which can be a secret, nor a secret that the receiver echoes.
type poster struct {
	client  *http.Client
	secrets []string
	now     func() time.Time
}

// call is one request with a body as JSON, or as it is where raw is set.
type call struct {
	method, url string
	header      map[string]string
	body        any
	raw         []byte
}

// answer is what came back, with the status and the body.
type answer struct {
	status int
	body   []byte
}

// do sends a request; the status of its answer is one of 2xx.
func (p poster) do(ctx context.Context, c call) (answer, error) {
	body := c.raw
	if body == nil && c.body != nil {
		var err error
		if body, err = json.Marshal(c.body); err != nil {
			return answer{}, &PermanentError{fmt.Errorf("write the request: %w", err)}
		}
	}
	req, err := http.NewRequestWithContext(ctx, c.method, c.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, &PermanentError{errors.New("the URL of the receiver is malformed")}
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	req.Header.Set("User-Agent", "dera")
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return answer{}, p.failed(req.URL, err)
	}
	defer resp.Body.Close() // nothing is written to it
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	a := answer{resp.StatusCode, text}
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return a, p.refused(req.URL, resp, text)
	case err != nil:
		return a, p.failed(req.URL, err)
	case len(text) > mostAnswer:
		return a, fmt.Errorf("%s answered with %w than %d bytes", req.URL.Host, errTooMuch, mostAnswer)
	}
	return a, nil
}

// failed is an error of the connection, without the URL.
func (p poster) failed(u *url.URL, err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("%s did not answer in time", u.Host)
	}
	return fmt.Errorf("%s: %s", u.Host, p.plain(err.Error()))
}

// refused is the error of an answer that is no success. What a person can put right, such
// as a token that is not valid any more, is tried again; what is wrong with the message is
// permanent.
func (p poster) refused(u *url.URL, resp *http.Response, text []byte) error {
	err := fmt.Errorf("%s answered %d %s%s", u.Host, resp.StatusCode, http.StatusText(resp.StatusCode), p.said(text))
	wait, asked := p.wait(resp.Header.Get("Retry-After"))
	switch s := resp.StatusCode; {
	case s >= 300 && s < 400:
		return fmt.Errorf("%w: a redirect, which is not followed; write the URL that it leads to", err)
	case (s == http.StatusTooManyRequests || s >= 500) && asked:
		return &waitError{wait, err}
	case slices.Contains([]int{http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooEarly,
		http.StatusConflict, http.StatusLocked, http.StatusTooManyRequests}, s), s >= 500:
		return err
	}
	return &PermanentError{err}
}

// wait reads Retry-After, seconds or a time of HTTP.
func (p poster) wait(header string) (time.Duration, bool) {
	if n, err := strconv.Atoi(header); err == nil && n >= 0 {
		return min(time.Duration(min(n, 1_000_000))*time.Second, mostWait), true
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(p.now()), 0), mostWait), true
	}
	return 0, false
}

// said is the beginning of an answer, for an error.
func (p poster) said(text []byte) string {
	s := oneLine(p.plain(string(text[:min(len(text), 2000)])))
	if s == "" {
		return ""
	}
	return ": " + cut(s, 200)
}

// plain takes the secrets out of a text.
func (p poster) plain(s string) string {
	for _, secret := range p.secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	return s
}

// validURL refuses what is no address of a receiver: https, or http to this machine.
func validURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return errors.New("is no URL such as https://hooks.example.com/dera")
	case u.User != nil:
		return errors.New("has a user or password in it: name the secret with token_env or token_file")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("is http, so that anybody on the way can read it: write https")
	}
	return nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
