package awssim

import "fmt"

// Error is an error answer of the simulated AWS. The Go helpers return it as it is; a wire client sees its code,
// message and status in the protocol of the service.
type Error struct {
	Status  int    // HTTP status
	Code    string // such as InvalidGroup.NotFound
	Message string
	region  string // where a bucket is, if the call came to the wrong Region
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s (%d): %s", e.Code, e.Status, e.Message)
}

func errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// invalid is the most common of EC2's errors.
func invalid(format string, args ...any) *Error {
	return errorf(400, "InvalidParameterValue", format, args...)
}

func missing(parameter string) *Error {
	return errorf(400, "MissingParameter", "The request must contain the parameter %s", parameter)
}

// notSimulated refuses what awssim does not build, so that nothing is ignored in silence.
func notSimulated(format string, args ...any) *Error {
	return errorf(501, "NotImplemented", "awssim does not simulate "+format, args...)
}
