package awssim

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
)

// Distribution is one distribution of CloudFront: what matters of it to the buckets behind it.
type Distribution struct {
	ID       string   // made up if it is empty
	Origins  []string // domain names, such as media.s3.us-east-1.amazonaws.com
	Control  string   // ID of the origin access control; empty: the origins must be public
	Disabled bool
}

// distribution is a row of the state; it is immutable.
type distribution struct {
	Distribution
	account  string
	modified time.Time
}

// AddDistribution adds a distribution to the account, or replaces the one with its ID, and returns the ID. It is not an
// API call: it emits no event.
func (a *Account) AddDistribution(d Distribution) string {
	c := a.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{a.id, dera.GlobalRegion})
	if d.ID == "" {
		d.ID = s.ids.key("E", 13)
	}
	d.Origins = slices.Clone(d.Origins)
	s.distributions.put(d.ID, &distribution{d, a.id, c.now().Truncate(time.Second)})
	s.commit()
	return d.ID
}

// RemoveDistribution removes a distribution. It is not an API call.
func (a *Account) RemoveDistribution(id string) {
	c := a.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{a.id, dera.GlobalRegion})
	s.distributions.put(id, nil)
	s.commit()
}

// cloudFrontProtocol is REST with XML whose errors are wrapped.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/CommonErrors.html
type cloudFrontProtocol struct{}

const cloudFrontNamespace = ` xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"`

func (cloudFrontProtocol) success(k *call, answer any) response {
	return answer.(restAnswer).response(requestIDHeader(k))
}

func (cloudFrontProtocol) failure(k *call, err *Error) response {
	a := restAnswer{status: err.Status, root: "ErrorResponse" + cloudFrontNamespace, write: func(e *encoder) {
		e.begin("Error")
		e.text("Type", "Sender")
		e.text("Code", err.Code)
		e.text("Message", err.Message)
		e.end("Error")
		e.text("RequestId", k.RequestID)
	}}
	return a.response(requestIDHeader(k))
}

func requestIDHeader(k *call) http.Header {
	header := http.Header{}
	header.Set("X-Amzn-Requestid", k.RequestID)
	return header
}

// newCloudFront returns the operations of CloudFront. A client can only list.
func newCloudFront() service {
	// Distributions are made by the helpers only: their wire form has a hundred members that nothing here needs.
	put := operation{run: members(putDistribution), home: globalHome, request: distributionTrail, accepts: "Id"}
	return service{protocol: cloudFrontProtocol{}, operations: map[string]operation{
		"CreateDistribution": put,
		"UpdateDistribution": put,
		"DeleteDistribution": {run: members(deleteDistribution), home: globalHome, request: distributionTrail, accepts: "Id"},
		"ListDistributions": {run: listDistributions, readOnly: true, accepts: "Marker MaxItems", home: globalHome, request: func(k *call, e *encoder) {
			e.optional("marker", k.request.rest.text("Marker"))
			e.optional("maxItems", k.request.rest.text("MaxItems"))
		}},
	}}
}

// routeCloudFront finds the operation of a path.
func (req *request) routeCloudFront(path string) {
	req.operation = req.rest.method + " " + path
	if req.rest.method == http.MethodGet && strings.TrimSuffix(path, "/") == "2020-05-31/distribution" {
		req.operation = "ListDistributions"
	}
}

// listDistributions lists at most 100 distributions on a page.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html
func listDistributions(k *call) (any, error) {
	rest := k.request.rest
	size, _, err := number(rest.text("MaxItems"), 1, 100)
	if err != nil {
		return nil, errorf(400, "InvalidArgument", "The parameter MaxItems is not valid.")
	}
	var found []*distribution
	for _, d := range k.state.distributions.from(0, k.view()) {
		found = append(found, d)
	}
	slices.SortFunc(found, func(a, b *distribution) int { return cmp.Compare(a.ID, b.ID) })
	shown, next, err := listing(k, found, func(d *distribution) string { return d.ID }, size, rest.text("Marker"))
	if err != nil {
		return nil, errorf(400, "InvalidArgument", "The parameter Marker is not valid.")
	}
	return restAnswer{status: http.StatusOK, root: "DistributionList" + cloudFrontNamespace, write: func(e *encoder) {
		e.text("Marker", rest.text("Marker"))
		e.optional("NextMarker", next)
		e.number("MaxItems", size)
		e.flag("IsTruncated", next != "")
		e.number("Quantity", len(shown))
		if len(shown) == 0 {
			return
		}
		e.begin("Items")
		for _, d := range shown {
			d.summary(e)
		}
		e.end("Items")
	}}, nil
}

func (d *distribution) summary(e *encoder) {
	e.begin("DistributionSummary")
	e.text("Id", d.ID)
	e.text("ARN", "arn:aws:cloudfront::"+d.account+":distribution/"+d.ID)
	e.text("Status", "Deployed")
	e.text("LastModifiedTime", d.modified.Format(s3Time))
	e.text("DomainName", "d"+strings.ToLower(d.ID)+".cloudfront.net")
	e.begin("Aliases")
	e.number("Quantity", 0)
	e.end("Aliases")
	e.begin("Origins")
	e.number("Quantity", len(d.Origins))
	e.begin("Items")
	for i, domain := range d.Origins {
		e.begin("Origin")
		e.text("Id", "origin-"+strconv.Itoa(i+1))
		e.text("DomainName", domain)
		e.text("OriginPath", "")
		e.begin("S3OriginConfig")
		e.text("OriginAccessIdentity", "")
		e.end("S3OriginConfig")
		e.text("OriginAccessControlId", d.Control)
		e.end("Origin")
	}
	e.end("Items")
	e.end("Origins")
	e.text("Comment", "")
	e.text("PriceClass", "PriceClass_All")
	e.flag("Enabled", !d.Disabled)
	e.text("WebACLId", "")
	e.text("HttpVersion", "http2")
	e.flag("IsIPV6Enabled", true)
	e.flag("Staging", false)
	e.end("DistributionSummary")
}
