package awssim

import (
	"encoding/json"
	"net/http"
)

// protocol turns answers and errors into what a service sends.
type protocol interface {
	success(k *call, answer any) response
	failure(k *call, err *Error) response
}

// response is an HTTP answer.
type response struct {
	status int
	header http.Header
	body   []byte
}

// document is an answer that writes itself, for the wire and for the event.
type document interface{ write(e *encoder) }

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// ec2Protocol is the EC2 query protocol.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
type ec2Protocol struct{}

const ec2Namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"

func (ec2Protocol) success(k *call, answer any) response {
	e := &encoder{buf: make([]byte, 0, 4096)}
	e.buf = append(e.buf, xmlHeader+"<"+k.Operation+`Response xmlns="`+ec2Namespace+`">`...)
	e.text("requestId", k.RequestID)
	if d, ok := answer.(document); ok {
		d.write(e)
	}
	e.shut(k.Operation + "Response")
	return xmlResponse(k, http.StatusOK, e)
}

func (ec2Protocol) failure(k *call, err *Error) response {
	e := &encoder{buf: []byte(xmlHeader)}
	e.begin("Response")
	e.begin("Errors")
	e.begin("Error")
	e.text("Code", err.Code)
	e.text("Message", err.Message)
	e.end("Error")
	e.end("Errors")
	e.text("RequestID", k.RequestID)
	e.end("Response")
	return xmlResponse(k, err.Status, e)
}

// queryProtocol is the AWS query protocol, in the namespace of a service.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
type queryProtocol struct{ namespace string }

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

func (p queryProtocol) success(k *call, answer any) response {
	e := &encoder{}
	e.buf = append(e.buf, "<"+k.Operation+`Response xmlns="`+p.namespace+`">`...)
	if d, ok := answer.(document); ok { // what answers nothing has no result
		e.begin(k.Operation + "Result")
		d.write(e)
		e.end(k.Operation + "Result")
	}
	e.begin("ResponseMetadata")
	e.text("RequestId", k.RequestID)
	e.end("ResponseMetadata")
	e.shut(k.Operation + "Response")
	return xmlResponse(k, http.StatusOK, e)
}

func (p queryProtocol) failure(k *call, err *Error) response {
	e := &encoder{}
	e.buf = append(e.buf, `<ErrorResponse xmlns="`+p.namespace+`">`...)
	e.begin("Error")
	if err.Status < 500 {
		e.text("Type", "Sender")
	} else {
		e.text("Type", "Receiver")
	}
	e.text("Code", err.Code)
	e.text("Message", err.Message)
	e.end("Error")
	e.text("RequestId", k.RequestID)
	e.shut("ErrorResponse")
	return xmlResponse(k, err.Status, e)
}

func xmlResponse(k *call, status int, e *encoder) response {
	header := http.Header{"Content-Type": {"text/xml;charset=UTF-8"}}
	header.Set("x-amzn-RequestId", k.RequestID)
	return response{status: status, header: header, body: e.buf}
}

// sqsProtocol is the AWS JSON 1.0 protocol with the error header of services that once spoke the query protocol.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
type sqsProtocol struct{}

func (sqsProtocol) success(k *call, answer any) response {
	body, err := json.Marshal(answer)
	if err != nil { // answers are plain structs
		panic(err)
	}
	return jsonResponse(k, http.StatusOK, body)
}

func (sqsProtocol) failure(k *call, err *Error) response {
	body, marshalErr := json.Marshal(map[string]string{"__type": "com.amazonaws.sqs#" + sqsShape(err.Code), "message": err.Message})
	if marshalErr != nil { // strings always marshal
		panic(marshalErr)
	}
	r := jsonResponse(k, err.Status, body)
	side := "Sender"
	if err.Status >= 500 {
		side = "Receiver"
	}
	r.header.Set("x-amzn-query-error", err.Code+";"+side)
	return r
}

func jsonResponse(k *call, status int, body []byte) response {
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	header.Set("x-amzn-RequestId", k.RequestID)
	return response{status: status, header: header, body: body}
}
