package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ErrForeignAnswer means that a success carries something else than the answer
// to the call: the page of a proxy, the answer to another call, nothing. The SDK
// takes such a body for an empty answer.
var ErrForeignAnswer = errors.New("the answer is not one to this call")

// Foreign is an ErrForeignAnswer that says what is wrong with the answer.
func Foreign(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrForeignAnswer, fmt.Sprintf(format, args...))
}

// Shape is what the body of a success must be: XML with a root of that name in a
// namespace that begins so, or where Root is empty a JSON object that has the
// Members. In Root, * is the name of the operation.
type Shape struct {
	Root    string
	Space   string
	Members []string
}

// shapes are the shapes of answers, as [Wire] has them.
type shapes map[string]Shape

// ownAnswers are those of the services that the client itself calls.
func ownAnswers() shapes {
	return shapes{"STS": {Root: "*Response", Space: "https://sts.amazonaws.com/doc/"}, "Config Service": {}}
}

// of returns the shape of an operation's answer; ok is false for those with no
// body or none that dera reads.
func (s shapes) of(service, operation string) (shape Shape, ok bool) {
	if shape, ok = s[service+" "+operation]; !ok {
		shape, ok = s[service]
	}
	shape.Root = strings.Replace(shape.Root, "*", operation, 1)
	return shape, ok
}

// fits returns an error for a body of another shape.
func (s Shape) fits(body []byte) error {
	if s.Root == "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(body, &object); err != nil || object == nil {
			return Foreign("it is no JSON object")
		}
		for _, name := range s.Members {
			if _, ok := object[name]; !ok {
				return Foreign("it has no %s", name)
			}
		}
		return nil
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			return Foreign("it is no XML")
		}
		if e, ok := t.(xml.StartElement); ok {
			// What AWS calls a Result, emulators call a Response.
			name := strings.Replace(e.Name.Local, "Response", "Result", 1)
			if name != strings.Replace(s.Root, "Response", "Result", 1) || e.Name.Space != "" && !strings.HasPrefix(e.Name.Space, s.Space) {
				return Foreign("it begins with %.40q of %.60q, want %s", e.Name.Local, e.Name.Space, s.Root)
			}
			return nil
		}
	}
}

// refuseForeign stands next to the wire and refuses a success whose body is not
// one of the operation.
func (s shapes) refuseForeign(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("dera:foreign",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, md, err := next.HandleDeserialize(ctx, in)
			want, known := s.of(middleware.GetServiceID(ctx), middleware.GetOperationName(ctx))
			res, ok := out.RawResponse.(*smithyhttp.Response)
			if err != nil || !known || !ok || res.StatusCode < 200 || res.StatusCode > 299 {
				return out, md, err
			}
			body, err := io.ReadAll(res.Body)
			if err == nil {
				err = want.fits(body)
			}
			_ = res.Body.Close() // it is read
			res.Body = io.NopCloser(bytes.NewReader(body))
			return out, md, err
		}), middleware.After)
}
