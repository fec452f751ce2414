package awssim

import (
	"crypto/sha512"
	"encoding/base64"
	"net/http"
)

// restAnswer is an answer of a REST protocol: a status and, unless it is empty, an XML document or a text as it is.
type restAnswer struct {
	status int
	root   string // element, with its namespace
	write  func(*encoder)
	raw    []byte
	header http.Header
}

const (
	s3Namespace      = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`
	controlNamespace = ` xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"`
	xsiNamespace     = ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`
)

func noContent() restAnswer { return restAnswer{status: http.StatusNoContent} }

func emptyOK() restAnswer { return restAnswer{status: http.StatusOK} }

// s3Document answers with a document in the namespace of S3.
func s3Document(root string, write func(*encoder)) restAnswer {
	return restAnswer{status: http.StatusOK, root: root + s3Namespace, write: write}
}

// response writes the answer under a namespace.
func (a restAnswer) response(header http.Header) response {
	for name, values := range a.header {
		header[name] = values
	}
	if a.root == "" {
		return response{status: a.status, header: header, body: a.raw}
	}
	e := &encoder{buf: []byte(xmlHeader)}
	e.open(a.root)
	a.write(e)
	e.shut(firstWord(a.root))
	header.Set("Content-Type", "application/xml")
	return response{status: a.status, header: header, body: e.buf}
}

func firstWord(s string) string {
	for i := range len(s) {
		if s[i] == ' ' {
			return s[:i]
		}
	}
	return s
}

// s3Protocol is REST with XML and S3's own errors.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type s3Protocol struct{}

func (s3Protocol) success(k *call, answer any) response {
	return answer.(restAnswer).response(s3Header(k))
}

func (s3Protocol) failure(k *call, err *Error) response {
	header := s3Header(k)
	if err.region != "" {
		header.Set("X-Amz-Bucket-Region", err.region)
	}
	if k.request.rest != nil && k.request.rest.method == http.MethodHead { // an answer to HEAD has no body
		return response{status: err.Status, header: header}
	}
	a := restAnswer{status: err.Status, root: "Error", write: func(e *encoder) {
		e.text("Code", err.Code)
		e.text("Message", err.Message)
		switch err.Code {
		case "PermanentRedirect":
			e.text("Endpoint", k.request.rest.bucket+".s3."+err.region+".amazonaws.com")
		case "AuthorizationHeaderMalformed":
			e.text("Region", err.region)
		}
		if k.request.rest != nil {
			e.optional("BucketName", k.request.rest.bucket)
		}
		e.text("RequestId", k.RequestID)
		e.text("HostId", hostID(k))
	}}
	return a.response(header)
}

// controlProtocol is S3 Control's: errors are wrapped.
type controlProtocol struct{}

func (controlProtocol) success(k *call, answer any) response {
	return answer.(restAnswer).response(s3Header(k))
}

func (controlProtocol) failure(k *call, err *Error) response {
	a := restAnswer{status: err.Status, root: "ErrorResponse", write: func(e *encoder) {
		e.begin("Error")
		e.text("Code", err.Code)
		e.text("Message", err.Message)
		e.optional("AccountId", k.request.rest.account)
		e.end("Error")
		e.text("RequestId", k.RequestID)
		e.text("HostId", hostID(k))
	}}
	return a.response(s3Header(k))
}

func s3Header(k *call) http.Header {
	header := http.Header{"Server": {"AmazonS3"}}
	header.Set("X-Amz-Request-Id", k.RequestID)
	header.Set("X-Amz-Id-2", hostID(k))
	return header
}

// hostID is the second identifier that S3 gives a request.
func hostID(k *call) string {
	sum := sha512.Sum512([]byte(k.RequestID))
	return base64.StdEncoding.EncodeToString(sum[:57])
}
