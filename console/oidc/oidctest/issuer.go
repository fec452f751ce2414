// Package oidctest is an identity provider on this machine, for tests: discovery, keys, the authorization
// endpoint, which asks nobody anything, and the token endpoint. A test can make it lie.
package oidctest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// ClientID and Secret are those of the one client.
const (
	ClientID = "dera"
	Secret   = "the secret of the client"
)

// Issuer is an identity provider.
type Issuer struct {
	URL string

	mu      sync.Mutex
	key     *rsa.PrivateKey
	kid     string
	claims  map[string]any
	change  func(*Token)
	replace map[string]http.HandlerFunc
	codes   map[string]url.Values // of the request that each was made for
	asked   []string
	bodies  []url.Values
}

// Token is an ID token before it is signed.
type Token struct {
	Header, Claims map[string]any
	// Sign signs what stands before the second dot.
	Sign func(input string) []byte
	// Raw, where it is not empty, is sent instead.
	Raw string
}

// New starts a provider whose user has these claims; it ends with the test.
func New(t testing.TB, claims map[string]any) *Issuer {
	t.Helper()
	i := &Issuer{claims: claims, replace: map[string]http.HandlerFunc{}, codes: map[string]url.Values{}}
	i.Rotate(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.asked = append(i.asked, r.URL.Path)
		instead := i.replace[r.URL.Path]
		i.mu.Unlock()
		if instead != nil {
			instead(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	i.URL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // another site than a console at 127.0.0.1
	return i
}

func (i *Issuer) locked() func() { i.mu.Lock(); return i.mu.Unlock }

// Rotate makes a new key, and forgets the one before.
func (i *Issuer) Rotate(t testing.TB) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	defer i.locked()()
	i.key, i.kid = key, rand.Text()
}

// User is who signs in from now on.
func (i *Issuer) User(claims map[string]any) { defer i.locked()(); i.claims = claims }

// Change lets a test change each token before it is signed.
func (i *Issuer) Change(f func(*Token)) { defer i.locked()(); i.change = f }

// Replace lets a test answer at a path; nil is as before.
func (i *Issuer) Replace(path string, f http.HandlerFunc) { defer i.locked()(); i.replace[path] = f }

// Asked are the paths that were asked for, and Bodies what the token endpoint got.
func (i *Issuer) Asked() []string { defer i.locked()(); return append([]string(nil), i.asked...) }

// Bodies are what the token endpoint got.
func (i *Issuer) Bodies() []url.Values {
	defer i.locked()()
	return append([]url.Values(nil), i.bodies...)
}

// PublicKey is the key that everybody knows.
func (i *Issuer) PublicKey() *rsa.PublicKey { defer i.locked()(); return &i.key.PublicKey }

// Discovery is what it says of itself.
func (i *Issuer) Discovery() map[string]any {
	return map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}, "authorization_response_iss_parameter_supported": true,
	}
}

// Answer answers with JSON.
func Answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // whoever asked may not be there any more
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) { Answer(w, i.Discovery()) }

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	defer i.locked()()
	Answer(w, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "kid": i.kid, "n": encode(i.key.N.Bytes()), "e": encode(big.NewInt(int64(i.key.E)).Bytes()),
	}}})
}

// authorize sends the browser back with a code.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != ClientID || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("nonce") == "" || !strings.Contains(q.Get("scope"), "openid") {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {i.Code(q)}, "state": {q.Get("state")}, "iss": {i.URL}}.Encode(), http.StatusFound)
}

// Code is one for a request to the authorization endpoint.
func (i *Issuer) Code(request url.Values) string {
	defer i.locked()()
	code := rand.Text()
	i.codes[code] = request
	return code
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	i.mu.Lock()
	i.bodies = append(i.bodies, r.PostForm)
	of, ok := i.codes[r.PostForm.Get("code")]
	delete(i.codes, r.PostForm.Get("code"))
	key, kid, change, claims := i.key, i.kid, i.change, i.claims
	i.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	verifier := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if secret, _ = url.QueryUnescape(secret); !ok || id != ClientID || secret != Secret || encode(verifier[:]) != of.Get("code_challenge") || r.PostForm.Get("redirect_uri") != of.Get("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		Answer(w, map[string]any{"error": "invalid_grant", "error_description": "code " + r.PostForm.Get("code")})
		return
	}
	now := time.Now()
	t := &Token{
		Header: map[string]any{"alg": "RS256", "kid": kid},
		Claims: map[string]any{"iss": i.URL, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": of.Get("nonce")},
		Sign: func(input string) []byte {
			sum := sha256.Sum256([]byte(input))
			sig, _ := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:]) // a test sees that it is empty
			return sig
		},
	}
	maps.Copy(t.Claims, claims)
	if change != nil {
		change(t)
	}
	Answer(w, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "id_token": t.text()})
}

func (t *Token) text() string {
	if t.Raw != "" {
		return t.Raw
	}
	header, _ := json.Marshal(t.Header) // plain data
	claims, _ := json.Marshal(t.Claims)
	input := encode(header) + "." + encode(claims)
	return input + "." + encode(t.Sign(input))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
