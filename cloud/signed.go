package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/smithy-go"
)

// SecurityHub calls operations of Security Hub that read or write findings. Their requests
// are signed here and not made by the SDK, whose types for the members of a finding (all of
// ASFF) the binary would have to hold; endpoints and credentials are the SDK's.
type SecurityHub struct {
	c               *Client
	account, region string
	api             *securityhub.Client
	cfg             aws.Config
}

// SecurityHub returns that of an account and region.
func (c *Client) SecurityHub(account, region string) SecurityHub {
	region = c.regionFor(region)
	type both struct {
		api *securityhub.Client
		cfg aws.Config
	}
	x := shared(c, "securityhub findings", account, region, func(cfg aws.Config) both { return both{securityhub.NewFromConfig(cfg), cfg} })
	return SecurityHub{c, account, region, x.api, x.cfg}
}

// mostAnswer bounds what is read of an answer, in bytes: a page of 100 findings has less.
const mostAnswer = 64 << 20

// Call sends one operation, for example POST /findings, once, and decodes its answer into out,
// which may be nil. write says that it changes something.
//
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Operations.html
func (h SecurityHub) Call(ctx context.Context, operation, method, path string, in, out any, write bool) error {
	ctx, cancel := context.WithTimeout(ctx, h.c.cfg.Timeout)
	defer cancel()
	err := h.send(ctx, method, path, in, out, write)
	if h.c.cfg.Observe != nil {
		h.c.cfg.Observe(Call{Account: h.account, Region: h.region, Service: "securityhub", Operation: operation, Write: write, Err: err})
	}
	if err != nil {
		return wrap(h.account, h.region, "securityhub:"+operation, err)
	}
	return nil
}

// hubWrites is all that a session that writes may do there.
const hubWrites = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["securityhub:BatchUpdateFindings","securityhub:BatchUpdateFindingsV2","securityhub:BatchImportFindings"],"Resource":"*"}]}`

// credentials are those of the account; where it has a role, those of a session that can do
// nothing but write findings.
func (h SecurityHub) credentials(write bool) aws.CredentialsProvider {
	if !write {
		return h.cfg.Credentials
	}
	return shared(h.c, "securityhub writes", h.account, h.region, func(aws.Config) aws.CredentialsProvider {
		return h.c.limited(h.account, func() (string, error) { return hubWrites, nil })
	})
}

func (h SecurityHub) send(ctx context.Context, method, path string, in, out any, write bool) error {
	var body []byte
	var err error
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	o := h.api.Options()
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, securityhub.EndpointParameters{
		Region: aws.String(h.region), Endpoint: o.BaseEndpoint,
		UseFIPS: aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled), UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	if err != nil {
		return err
	}
	url := strings.TrimSuffix(endpoint.URI.String(), "/") + path
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	creds, err := h.credentials(write).Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, creds, req, hex.EncodeToString(sum[:]), "securityhub", h.region, time.Now()); err != nil {
		return err
	}
	res, err := o.HTTPClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return refusal(res, text)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("its answer cannot be read: %w", err)
	}
	return nil
}

// refusal is the error in an answer of the protocol restJson1.
//
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
func refusal(res *http.Response, text []byte) error {
	var said struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"`
		Words   string `json:"Message"`
	}
	_ = json.Unmarshal(text, &said) // what is no JSON has no code
	code := res.Header.Get("X-Amzn-Errortype")
	for _, s := range []string{said.Type, said.Code, res.Status} {
		if code == "" {
			code = s
		}
	}
	code, _, _ = strings.Cut(code, ":")
	if i := strings.LastIndex(code, "#"); i >= 0 {
		code = code[i+1:]
	}
	message := said.Message
	if message == "" {
		message = said.Words
	}
	return &smithy.GenericAPIError{Code: code, Message: message}
}
