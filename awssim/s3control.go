package awssim

import (
	"net/http"
	"net/url"
	"strings"
)

// controlVersion begins every path of S3 Control.
const controlVersion = "v20180820"

// newS3Control returns the operations of S3 Control: the block of an account, and access points. CloudTrail shows them
// as S3's own, and so do the actions.
func newS3Control() service {
	ops := map[string]operation{
		"GetPublicAccessBlock": {
			run: getAccountBlock, action: "s3:GetAccountPublicAccessBlock", event: "GetAccountPublicAccessBlock", readOnly: true, home: globalHome,
		},
		"PutPublicAccessBlock": {
			run: putAccountBlock, action: "s3:PutAccountPublicAccessBlock", event: "PutAccountPublicAccessBlock", home: globalHome,
		},
		"DeletePublicAccessBlock": {
			run: deleteAccountBlock, action: "s3:PutAccountPublicAccessBlock", event: "DeleteAccountPublicAccessBlock", home: globalHome,
		},
	}
	for name, op := range ops {
		op.accepts += " AccountId"
		op.request = s3Trail
		ops[name] = op
	}
	return service{protocol: controlProtocol{}, operations: ops}
}

// routeControl finds the operation of a path behind the version.
func (req *request) routeControl(path string) error {
	method := map[string]string{http.MethodGet: "Get", http.MethodPut: "Put", http.MethodDelete: "Delete"}[req.rest.method]
	parts := strings.Split(path, "/")
	for i, part := range parts {
		var err error
		if parts[i], err = url.PathUnescape(part); err != nil {
			return errorf(400, "InvalidURI", "Couldn't parse the specified URI.")
		}
	}
	switch {
	case path == "configuration/publicAccessBlock" && method != "":
		req.operation = method + "PublicAccessBlock"
	default:
		req.operation = req.rest.method + " " + path
	}
	return nil
}
