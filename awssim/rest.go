package awssim

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// restRequest is a request of a protocol that says in its path what it is about.
type restRequest struct {
	method      string
	account     string // of S3 Control: whose account the call is about
	bucket      string
	name        string // of an access point
	subresource string
	query       url.Values
	header      http.Header
	global      bool // the host names no Region
}

// text returns a parameter of the query.
func (r *restRequest) text(name string) string { return r.query.Get(name) }

// readREST reads a request of S3, S3 Control, CloudFront, or of a service that speaks REST with JSON.
func (req *request) readREST(r *http.Request, body []byte) error {
	rest := &restRequest{method: r.Method, query: r.URL.Query(), header: r.Header}
	req.rest, req.body = rest, body
	host := readS3Host(req.host)
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	if req.service == "s3" && (host.control || strings.HasPrefix(path, controlVersion+"/") && r.Header.Get("X-Amz-Account-Id") != "") {
		req.service = "s3control"
	}
	var err error
	switch req.service {
	case "s3control":
		rest.account = r.Header.Get("X-Amz-Account-Id")
		if rest.account == "" {
			rest.account = host.prefix
		}
		err = req.routeControl(strings.TrimPrefix(path, controlVersion+"/"))
	case "scheduler", "backup", "lambda", "securityhub":
		err = req.routeJSON(path)
	case "cloudfront":
		req.routeCloudFront(path)
	default:
		rest.global = host.global
		rest.bucket = host.prefix
		if rest.bucket == "" {
			rest.bucket, path, _ = strings.Cut(path, "/")
		}
		if rest.bucket, err = url.PathUnescape(rest.bucket); err == nil {
			req.routeS3(path)
		}
	}
	req.flat = rest.flat()
	return err
}

// flat returns the parameters of the request: of the query, those of the headers that belong to S3, and what the path names.
func (r *restRequest) flat() map[string]string {
	flat := map[string]string{}
	for name, values := range r.query {
		if name != "x-id" && name != r.subresource {
			flat[name] = values[0]
		}
	}
	for name, values := range r.header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !isTransport(name) {
			flat[name] = values[0]
		}
	}
	for name, value := range map[string]string{"Bucket": r.bucket, "Name": r.name, "AccountId": r.account} {
		if value != "" {
			flat[name] = value
		}
	}
	return flat
}

// isTransport reports whether a header is about how a request travels, not about what it asks.
func isTransport(name string) bool {
	switch name {
	case "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent", "x-amz-sdk-checksum-algorithm", "x-amz-account-id", "x-amz-api-version":
		return true
	}
	return strings.HasPrefix(name, "x-amz-checksum-")
}

// s3Host is what a host name of S3 tells.
type s3Host struct {
	prefix  string // the bucket, or the account of S3 Control
	control bool
	global  bool
}

// readS3Host reads [bucket.]s3[.region].amazonaws.com, [account.]s3-control.region.amazonaws.com, or any host of one's
// own, of which an IP address and localhost may have a prefix too.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
func readS3Host(host string) s3Host {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	for _, service := range []string{"s3-control", "s3"} {
		if at := strings.LastIndex("."+host, "."+service+"."); at >= 0 && isAmazon(host) {
			region := strings.Split(host[at+len(service)+1:], ".")[0]
			return s3Host{prefix: strings.TrimSuffix(host[:at], "."), control: service == "s3-control", global: region == "amazonaws"}
		}
	}
	if prefix, ok := strings.CutSuffix(host, ".localhost"); ok {
		return s3Host{prefix: prefix}
	}
	if parts := strings.Split(host, "."); len(parts) > 4 && net.ParseIP(strings.Join(parts[len(parts)-4:], ".")) != nil {
		return s3Host{prefix: strings.Join(parts[:len(parts)-4], ".")}
	}
	return s3Host{}
}

// isAmazon reports whether the host is one of AWS's own names.
func isAmazon(host string) bool {
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}
