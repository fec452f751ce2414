package oidc_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/console"
	"dera.example/dera/console/oidc"
	"dera.example/dera/console/oidc/oidctest"
)

// world is a provider, its issuer, and a browser that follows no redirect.
type world struct {
	*oidctest.Issuer
	provider *oidc.Provider
	now      func() time.Time
}

func ada(groups any) map[string]any {
	return map[string]any{"sub": "00u|1", "email": "ada@example.com", "email_verified": true, "groups": groups}
}

func newWorld(t *testing.T, change ...func(*oidc.Config)) *world {
	t.Helper()
	w := &world{Issuer: oidctest.New(t, ada([]string{"everyone", "dera-approvers"})), now: time.Now}
	cfg := oidc.Config{
		Issuer: w.URL, ClientID: oidctest.ClientID, Secret: oidctest.Secret, Scopes: []string{"email", "groups"}, How: "oidc", Now: func() time.Time { return w.now() },
		Viewers: []string{"everyone"}, Approvers: []string{"dera-approvers"}, Admins: []string{"dera-admins"},
	}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	if w.provider, err = oidc.New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

func attempt() console.Attempt {
	return console.Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), Return: "https://dera.example.com/signed-in"}
}

// there signs in at the provider, and returns what comes back from there.
func (w *world) there(t *testing.T, a console.Attempt) url.Values {
	t.Helper()
	address, err := w.provider.Begin(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := res.Location()
	if err != nil || !strings.HasPrefix(back.String(), a.Return+"?") || back.Query().Get("state") != a.State {
		t.Fatalf("the provider leads to %v: %v", back, err)
	}
	return back.Query()
}

func (w *world) signIn(t *testing.T) (console.Person, error) {
	t.Helper()
	a := attempt()
	return w.provider.Finish(t.Context(), a, w.there(t, a))
}

// TestSignIn: the token says who it is and what they may do; keys of the provider change.
func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 2 {
		got, err := w.signIn(t)
		if err != nil || got.Role != console.Approver || got.How != "oidc" || got.Name != w.URL+"|00u%7C1|ada@example.com" {
			t.Fatalf("got %+v, %v", got, err)
		}
		w.Rotate(t)
	}
	if got := strings.Join(w.Asked(), " "); strings.Count(got, "openid-configuration") != 1 || strings.Count(got, "/keys") != 2 {
		t.Errorf("asked: %s", got)
	}
	for _, body := range w.Bodies() {
		if body.Get("client_secret") != "" {
			t.Error("the secret is in the body too")
		}
	}
}

// TestGroups: what a role takes, in every form in which providers say it, and what is no group of anybody.
func TestGroups(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		claims map[string]any
		role   console.Role
		why    string
	}{
		"viewer":              {ada([]string{"everyone"}), console.Viewer, ""},
		"admin_wins":          {ada([]string{"everyone", "dera-approvers", "dera-admins"}), console.Admin, ""},
		"a_text":              {ada("dera-admins"), console.Admin, ""},
		"a_text_of_several":   {ada("everyone dera-admins"), 0, `claim "groups"`},
		"a_text_with_commas":  {ada("everyone,dera-admins"), 0, `claim "groups"`},
		"other_letters":       {ada([]string{"Dera-Admins"}), 0, "None of the 1 groups"},
		"none":                {ada([]string{}), 0, "None of the 0 groups"},
		"null":                {ada(nil), 0, "None of the 0 groups"},
		"an_empty_one":        {ada([]string{""}), 0, "None of the 1 groups"},
		"numbers":             {ada([]int{1}), 0, "is no list of groups"},
		"an_object":           {ada(map[string]any{"dera-admins": true}), 0, "is no list of groups"},
		"missing":             {map[string]any{"sub": "1"}, 0, `has no claim "groups"`},
		"more_than_fit":       {map[string]any{"sub": "1", "_claim_names": map[string]any{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]any{"endpoint": "https://example.com"}}}, 0, "more than fit"},
		"another_claim_alone": {map[string]any{"sub": "1", "roles": []string{"dera-admins"}}, 0, `has no claim "groups"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.User(tt.claims)
			got, err := w.signIn(t)
			check(t, got, err, tt.why)
			if tt.why == "" && got.Role != tt.role {
				t.Errorf("got %s, want %s", got.Role, tt.role)
			}
		})
	}
	w := newWorld(t, func(c *oidc.Config) { c.Viewers, c.GroupsClaim = append(c.Viewers, ""), "https://example.com/roles" })
	w.User(map[string]any{"sub": "1", "groups": []string{"dera-admins"}, "https://example.com/roles": []string{""}})
	if got, err := w.signIn(t); err == nil {
		t.Errorf("a group without a name: got %+v", got)
	}
}

// check fails unless a sign-in ended as it should.
func check(t *testing.T, got console.Person, err error, why string) {
	t.Helper()
	var refused *console.Refused
	switch {
	case why == "" && err != nil:
		t.Errorf("got %v", err)
	case why != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Why, why) || got != console.Person{}):
		t.Errorf("got %+v and %v, want a refusal with %q", got, err, why)
	}
}

// TestNames: an address that the provider did not verify names nobody.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"verified":         {map[string]any{"email": "ada@example.com", "email_verified": true}, "ada@example.com"},
		"verified_as_text": {map[string]any{"email": "ada@example.com", "email_verified": "true"}, "ada@example.com"},
		"nothing_is_said":  {map[string]any{"email": "ada@example.com"}, "ada@example.com"},
		"not_verified":     {map[string]any{"email": "ada@example.com", "email_verified": false}, ""},
		"as_text":          {map[string]any{"email": "ada@example.com", "email_verified": "false"}, ""},
		"a_list":           {map[string]any{"email": []string{"ada@example.com"}}, ""},
		"hostile":          {map[string]any{"email": "a|b\n\x1b[31m/../"}, "a%7Cb%0A%1B%5B31m%2F..%2F"},
		"long":             {map[string]any{"email": strings.Repeat("a", 256)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.claims["sub"], tt.claims["groups"] = "1", "everyone"
			w.User(tt.claims)
			if got, err := w.signIn(t); err != nil || got.Name != w.URL+"|1|"+tt.want {
				t.Errorf("got %q, %v", got.Name, err)
			}
		})
	}
}

// TestHostile: what is not a token of the provider, for this client and this attempt, now, is refused.
func TestHostile(t *testing.T) {
	t.Parallel()
	set := func(claim string, value any) func(*world, *oidctest.Token) {
		return func(_ *world, t *oidctest.Token) { t.Claims[claim] = value }
	}
	const token, nonce, azp = "not one that counts here", "another sign-in", "another client"
	for name, tt := range map[string]struct {
		change func(*world, *oidctest.Token)
		why    string
	}{
		"as_it_should_be":  {func(*world, *oidctest.Token) {}, ""},
		"another_audience": {set("aud", "other"), token},
		"no_audience":      {set("aud", []string{}), token},
		"two_audiences":    {set("aud", []string{"dera", "other"}), azp},
		"two_and_ours_is_meant": {func(_ *world, t *oidctest.Token) {
			t.Claims["aud"], t.Claims["azp"] = []string{"dera", "other"}, "dera"
		}, ""},
		"issued_to_another":         {set("azp", "other"), azp},
		"azp_is_no_text":            {set("azp", 7), "azp"},
		"another_issuer":            {set("iss", "https://other.example.com"), token},
		"the_issuer_with_a_slash":   {func(w *world, t *oidctest.Token) { t.Claims["iss"] = w.URL + "/" }, token},
		"expired":                   {set("exp", time.Now().Add(-2*time.Minute).Unix()), token},
		"expired_within_the_skew":   {set("exp", time.Now().Add(-20*time.Second).Unix()), ""},
		"never_expires":             {func(_ *world, t *oidctest.Token) { delete(t.Claims, "exp") }, token},
		"not_yet":                   {set("nbf", time.Now().Add(time.Hour).Unix()), token},
		"of_the_future":             {set("iat", time.Now().Add(2*time.Minute).Unix()), "future"},
		"of_the_future_within_skew": {set("iat", time.Now().Add(20*time.Second).Unix()), ""},
		"another_nonce":             {set("nonce", "other"), nonce},
		"no_nonce":                  {func(_ *world, t *oidctest.Token) { delete(t.Claims, "nonce") }, nonce},
		"no_subject":                {set("sub", ""), "names nobody"},
		"a_long_subject":            {set("sub", strings.Repeat("a", 256)), "names nobody"},
		"not_signed": {func(_ *world, t *oidctest.Token) {
			t.Header["alg"], t.Sign = "none", func(string) []byte { return nil }
		}, token},
		"signature_of_nothing": {func(_ *world, t *oidctest.Token) { t.Sign = func(string) []byte { return nil } }, token},
		"signed_with_the_public_key": {func(w *world, t *oidctest.Token) {
			t.Header["alg"] = "HS256"
			key := w.PublicKey
			t.Sign = func(input string) []byte { return hmacOf(publicPEM(key), input) }
		}, token},
		"signed_with_the_secret": {func(_ *world, t *oidctest.Token) {
			t.Header["alg"] = "HS256"
			t.Sign = func(input string) []byte { return hmacOf([]byte(oidctest.Secret), input) }
		}, token},
		"changed_after_it_was_signed": {func(_ *world, t *oidctest.Token) {
			sign := t.Sign
			t.Sign = func(input string) []byte { return sign(input + "x") }
		}, token},
		"a_key_of_its_own": {func(_ *world, t *oidctest.Token) {
			t.Header["jwk"] = map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"}
			t.Sign = func(string) []byte { return []byte("x") }
		}, token},
		"critical_header":     {func(_ *world, t *oidctest.Token) { t.Header["crit"], t.Header["b64"] = []string{"b64"}, false }, token},
		"an_unknown_key":      {func(_ *world, t *oidctest.Token) { t.Header["kid"] = "other" }, token},
		"huge":                {func(_ *world, t *oidctest.Token) { t.Claims["padding"] = strings.Repeat("a", 70<<10) }, "longer than 64 KiB"},
		"as_json":             {func(_ *world, t *oidctest.Token) { t.Raw = `{"payload":"e30","signatures":[]}` }, "or none"},
		"a_token_of_no_parts": {func(_ *world, t *oidctest.Token) { t.Raw = "x" }, "or none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Change(func(token *oidctest.Token) { tt.change(w, token) })
			got, err := w.signIn(t)
			check(t, got, err, tt.why)
		})
	}
}

func publicPEM(key func() *rsa.PublicKey) []byte {
	der, _ := x509.MarshalPKIXPublicKey(key()) // a test key
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func hmacOf(key []byte, input string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(input))
	return mac.Sum(nil)
}

// TestAnswers: what comes back is of this provider and of this attempt.
func TestAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := attempt()
	answer := w.there(t, a)
	with := func(key, value string) url.Values {
		q := url.Values{}
		for k, v := range answer {
			q[k] = slices.Clone(v)
		}
		q.Set(key, value)
		return q
	}
	for name, tt := range map[string]struct {
		q   url.Values
		why string
	}{
		"of_another_provider": {with("iss", "https://other.example.com"), "not one of"},
		"of_no_provider":      {with("iss", ""), "not one of"}, // this one names itself
		"refused":             {with("error", "access_denied"), "access_denied"},
		"without_a_code":      {with("code", ""), "no code"},
		"another_code":        {with("code", "other"), "does not take the code"},
	} {
		got, err := w.provider.Finish(t.Context(), a, tt.q)
		check(t, got, err, tt.why)
		if err != nil && strings.Contains(err.Error(), "code other") {
			t.Errorf("%s: the error has what the provider answered: %v", name, err)
		}
	}
	b := a
	b.Verifier = rand.Text() + rand.Text()
	if got, err := w.provider.Finish(t.Context(), b, answer); err == nil { // a code that somebody else has seen
		t.Errorf("another verifier: got %+v", got)
	}
	answer = w.there(t, a)
	if _, err := w.provider.Finish(t.Context(), a, answer); err != nil {
		t.Fatal(err)
	}
	got, err := w.provider.Finish(t.Context(), a, answer)
	check(t, got, err, "does not take the code")
	silent := newWorld(t)
	says := silent.Discovery()
	delete(says, "authorization_response_iss_parameter_supported")
	silent.Replace("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { oidctest.Answer(w, says) })
	answer = silent.there(t, a)
	answer.Del("iss")
	if _, err := silent.provider.Finish(t.Context(), a, answer); err != nil {
		t.Errorf("a provider that does not name itself: %v", err)
	}
}
