package iamtest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dera.example/dera/cloud/cloudtest"
)

// Answer is what IAM says to a call: a result, or the code of an error behind !.
func Answer(operation, result string) (status int, body string) {
	code, refused := strings.CutPrefix(result, "!")
	if !refused {
		return 200, fmt.Sprintf(`<%sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><%[1]sResult>%s</%[1]sResult></%[1]sResponse>`, operation, result)
	}
	status = 400
	switch code {
	case "AccessDenied":
		status = 403
	case "NoSuchEntity":
		status = 404
	}
	return status, "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>"
}

// Ago is a time, days and an hour ago.
func Ago(days int) string {
	return time.Now().UTC().Add(-time.Duration(days)*24*time.Hour - time.Hour).Format(time.RFC3339)
}

// UserOf is a user of the account cloudtest.Hub in an answer, with the tag team: web.
func UserOf(name, path string) string {
	return "<UserName>" + name + "</UserName><Path>" + path + "</Path><UserId>AIDA1</UserId><Arn>arn:aws:iam::" + cloudtest.Hub + ":user" + path + name +
		"</Arn><CreateDate>" + Ago(900) + "</CreateDate><Tags><member><Key>team</Key><Value>web</Value></member></Tags>"
}

// UserPage is the page of users that a GetAccountAuthorizationDetails asks for, of so many.
func UserPage(form url.Values, users int, user func(i int) string) string {
	size, _ := strconv.Atoi(form.Get("MaxItems"))
	from, _ := strconv.Atoi(form.Get("Marker"))
	to := min(from+size, users)
	list, more := "", "<IsTruncated>false</IsTruncated>"
	for i := from; i < to; i++ {
		list += "<member>" + user(i) + "</member>"
	}
	if to < users {
		more = "<IsTruncated>true</IsTruncated><Marker>" + strconv.Itoa(to) + "</Marker>"
	}
	return "<UserDetailList>" + list + "</UserDetailList>" + more
}
