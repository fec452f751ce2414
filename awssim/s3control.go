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
	for name, op := range map[string]operation{
		"CreateAccessPoint":          {run: createAccessPoint},
		"DeleteAccessPoint":          {run: deleteAccessPoint},
		"GetAccessPoint":             {run: getAccessPoint, readOnly: true},
		"PutAccessPointPolicy":       {run: putAccessPointPolicy},
		"GetAccessPointPolicy":       {run: getAccessPointPolicy, readOnly: true},
		"DeleteAccessPointPolicy":    {run: deleteAccessPointPolicy},
		"GetAccessPointPolicyStatus": {run: getAccessPointPolicyStatus, readOnly: true},
	} {
		op.action, op.resources, op.accepts = "s3:"+name, onAccessPoint, "Name"
		ops[name] = op
	}
	ops["ListAccessPoints"] = operation{run: listAccessPoints, action: "s3:ListAccessPoints", readOnly: true, accepts: "bucket maxResults nextToken"}
	ops["ListMultiRegionAccessPoints"] = operation{run: listMultiRegionPoints, action: "s3:ListMultiRegionAccessPoints", readOnly: true, accepts: "maxResults nextToken", home: globalHome}
	ops["GetMultiRegionAccessPointPolicy"] = operation{
		run: getMultiRegionPolicy, action: "s3:GetMultiRegionAccessPointPolicy", readOnly: true, accepts: "Name", home: globalHome,
		resources: func(k *call) []string { return []string{multiRegionARN(k.Account, k.request.rest.name)} },
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
	case path == "mrap/instances" && method == "Get":
		req.operation = "ListMultiRegionAccessPoints"
	case len(parts) == 4 && parts[0] == "mrap" && parts[3] == "policy" && method == "Get":
		req.operation, req.rest.name = "GetMultiRegionAccessPointPolicy", parts[2]
	case path == "accesspoint" && method == "Get":
		req.operation = "ListAccessPoints"
	case parts[0] == "accesspoint" && len(parts) == 2 && method != "":
		req.operation, req.rest.name = method+"AccessPoint", parts[1]
		if method == "Put" {
			req.operation = "CreateAccessPoint"
		}
	case parts[0] == "accesspoint" && len(parts) == 3 && parts[2] == "policy" && method != "":
		req.operation, req.rest.name = method+"AccessPointPolicy", parts[1]
	case parts[0] == "accesspoint" && len(parts) == 3 && parts[2] == "policyStatus" && method == "Get":
		req.operation, req.rest.name = "GetAccessPointPolicyStatus", parts[1]
	default:
		req.operation = req.rest.method + " " + path
	}
	return nil
}
