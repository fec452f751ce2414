package evaluate

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// FlowLog is Flows over VPC flow-log files. It is safe for concurrent use.
type FlowLog struct {
	flows    map[string][]Flow
	coverage map[string]*coverage
}

// coverage is what the records of an interface are about. Those of refused packets alone come
// from a log that may leave out the accepted ones.
type coverage struct {
	hours    map[int64]bool // in which records end, since 1970; false where EC2 left some out
	accepted bool
}

// Known implements Flows. A day is known of which there is a record of something accepted
// or of no data, and none that EC2 skipped.
func (l *FlowLog) Known(_ context.Context, iface string, now time.Time, days int) (bool, error) {
	t := l.coverage[iface]
	if t == nil || !t.accepted {
		return false, nil
	}
	last := now.Unix() / 3600
	for day := range days {
		known := false
		for hour := last - int64(day+1)*24 + 1; hour <= last-int64(day)*24; hour++ {
			whole, there := t.hours[hour]
			if there && !whole {
				return false, nil
			}
			known = known || there
		}
		if !known {
			return false, nil
		}
	}
	return true, nil
}

// To implements Flows.
func (l *FlowLog) To(_ context.Context, iface string, since time.Time) ([]Flow, error) {
	var out []Flow
	for _, f := range l.flows[iface] {
		if f.Last.After(since) {
			out = append(out, f)
		}
	}
	return out, nil
}

// ReadFlowLogs reads VPC flow-log files (text or .gz, folders too): the default
// format, or a custom one with its header line, as EC2 delivers them to S3 (VPC
// user guide, "Flow log records"). A line that cannot be read is an error that
// names file and line: half-read flows must not pass for silence.
func ReadFlowLogs(paths ...string) (*FlowLog, error) {
	p := flowParser{forward: map[flowKey]*Flow{}, reverse: map[flowKey]int64{}, coverage: map[string]*coverage{}}
	for _, path := range paths {
		err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return p.file(name)
		})
		if err != nil {
			return nil, fmt.Errorf("read flow logs: %w", err)
		}
	}
	return p.log(), nil
}

type flowKey struct {
	iface    string
	from, to netip.Addr
	proto    uint8
	port     uint16 // of the interface's side
	peer     uint16
}

type flowParser struct {
	columns  map[string]int
	forward  map[flowKey]*Flow
	reverse  map[flowKey]int64
	coverage map[string]*coverage
}

// defaultColumns is version 2 of the flow-log record.
const defaultColumns = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"

func (p *flowParser) file(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer z.Close()
		r = z
	}
	p.header(defaultColumns)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		if n == 1 && strings.Contains(text, "interface-id") {
			p.header(text)
			continue
		}
		if err := p.line(strings.Fields(text)); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (p *flowParser) header(text string) {
	p.columns = map[string]int{}
	for i, name := range strings.Fields(text) {
		p.columns[name] = i
	}
}

func (p *flowParser) line(fields []string) error {
	get := func(name string) (string, error) {
		i, ok := p.columns[name]
		if !ok || i >= len(fields) {
			return "", fmt.Errorf("field %q is missing", name)
		}
		return fields[i], nil
	}
	status, err := get("log-status")
	if err == nil && status != "OK" {
		return p.without(get, status) // NODATA and SKIPDATA carry no flow
	}
	action, err := get("action")
	if err != nil || action != "ACCEPT" {
		return err
	}
	k := flowKey{}
	if k.iface, err = get("interface-id"); err != nil {
		return err
	}
	if k.from, err = addr(get, "srcaddr"); err != nil {
		return err
	}
	if k.to, err = addr(get, "dstaddr"); err != nil {
		return err
	}
	src, err1 := number(get, "srcport")
	dst, err2 := number(get, "dstport")
	proto, err3 := number(get, "protocol")
	packets, err4 := number(get, "packets")
	end, err5 := number(get, "end")
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			return err
		}
	}
	if src < 0 || src > 65535 || dst < 0 || dst > 65535 || proto < 0 || proto > 255 {
		return fmt.Errorf("port or protocol is out of range")
	}
	p.cover(k.iface, end, true).accepted = true
	k.proto = uint8(proto)
	k.port, k.peer = uint16(dst), uint16(src)
	back := flowKey{iface: k.iface, from: k.to, to: k.from, proto: k.proto, port: uint16(src), peer: uint16(dst)}
	p.reverse[back] += packets
	if f := p.forward[k]; f != nil {
		f.Packets += packets
		if at := time.Unix(end, 0); at.After(f.Last) {
			f.Last = at
		}
		return nil
	}
	p.forward[k] = &Flow{Interface: k.iface, From: k.from, To: k.to, Protocol: k.proto, Port: k.port, Last: time.Unix(end, 0), Packets: packets}
	return nil
}

// without notes a record without a flow: that there was none, or that EC2 left some out.
func (p *flowParser) without(get func(string) (string, error), status string) error {
	iface, err := get("interface-id")
	if err != nil {
		return err
	}
	end, err := number(get, "end")
	if err != nil {
		return err
	}
	p.cover(iface, end, status == "NODATA")
	return nil
}

// cover notes that a record tells of the hour in which it ends, and whether of all of it.
func (p *flowParser) cover(iface string, end int64, whole bool) *coverage {
	t := p.coverage[iface]
	if t == nil {
		t = &coverage{hours: map[int64]bool{}}
		p.coverage[iface] = t
	}
	hour := end / 3600
	if before, there := t.hours[hour]; !there || before {
		t.hours[hour] = whole
	}
	return t
}

// log keeps what was a conversation: more than a handshake in one direction and
// an answer in the other.
func (p *flowParser) log() *FlowLog {
	l := &FlowLog{flows: map[string][]Flow{}, coverage: p.coverage}
	for k, f := range p.forward {
		if f.Packets > 3 && p.reverse[k] > 2 {
			l.flows[k.iface] = append(l.flows[k.iface], *f)
		}
	}
	return l
}

func addr(get func(string) (string, error), name string) (netip.Addr, error) {
	s, err := get(name)
	if err != nil {
		return netip.Addr{}, err
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("field %q: %q is not an address", name, s)
	}
	return a, nil
}

func number(get func(string) (string, error), name string) (int64, error) {
	s, err := get(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("field %q: %q is not a number", name, s)
	}
	return n, nil
}
