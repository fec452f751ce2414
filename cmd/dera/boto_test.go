package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"dera.example/dera/awssim/moto"
)

// boto is boto3 in a process of its own, for all tests: it ends when this process does.
type boto struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
	err error
}

var startBoto = sync.OnceValue(func() *boto {
	cmd := exec.Command(moto.Python(), filepath.Join("testdata", "boto.py"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return &boto{err: err}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return &boto{err: err}
	}
	return &boto{in: in, out: bufio.NewReader(out), err: cmd.Start()}
})

// asked is the answer to an order, with the endpoint and the credentials of the environment.
func (b *boto) asked(t *testing.T, order map[string]any, to any) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for field, name := range map[string]string{"endpoint": "AWS_ENDPOINT_URL", "access": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"} {
		order[field] = os.Getenv(name)
	}
	line, err := json.Marshal(order)
	if err == nil {
		err = b.err
	}
	if err == nil {
		_, err = b.in.Write(append(line, '\n'))
	}
	var answer struct {
		Answer json.RawMessage
		Error  string
	}
	if err == nil {
		line, err = b.out.ReadBytes('\n')
	}
	if err == nil {
		err = json.Unmarshal(line, &answer)
	}
	if err == nil && answer.Error == "" {
		err = json.Unmarshal(answer.Answer, to)
	}
	if err != nil || answer.Error != "" {
		delete(order, "secret")
		t.Fatalf("boto3, %v: %v %s", order, err, answer.Error)
	}
}

// ask makes one call with boto3: not with dera's own client.
func (w *motoWorld) ask(service, call, arguments string) map[string]any {
	w.t.Helper()
	var answer map[string]any
	startBoto().asked(w.t, map[string]any{"service": service, "call": call, "arguments": json.RawMessage(arguments)}, &answer)
	return answer
}

// judge looks at a bucket with boto3: not with dera's own client.
func (w *motoWorld) judge(bucket string) (j judged) {
	w.t.Helper()
	startBoto().asked(w.t, map[string]any{"bucket": bucket}, &j)
	return j
}
