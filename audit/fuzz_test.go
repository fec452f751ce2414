package audit

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func FuzzParseCheckpoint(f *testing.F) {
	f.Add("example.com/dera\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\ntime 2026-11-20T10:00:00Z\n")
	f.Add("o\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\ntime 2026-11-20T10:00:00Z\nmore\n")
	f.Add("o\n1\n\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCheckpoint(text)
		if err != nil {
			return
		}
		if c.Size < 0 || c.Origin == "" || strings.Contains(c.Origin, "\n") {
			t.Fatalf("parse %q: got %+v", text, c)
		}
		// The text of what was read is what was read, but for later lines.
		if !strings.HasPrefix(text, c.Text()) {
			t.Fatalf("parse %q: its text is %q", text, c.Text())
		}
		if again, err := parseCheckpoint(c.Text()); err != nil || again != c {
			t.Fatalf("parse %q again: got %+v, %v, want %+v", c.Text(), again, err, c)
		}
	})
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'x', 0, 0, 0, 2, 'y', 'z'})
	f.Add([]byte{0xff, 0xff, 1})
	f.Add([]byte{0})
	f.Add(make([]byte, 2*tileWidth+2))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseBundle(data)
		var again []byte
		for _, e := range entries {
			again = appendEntry(again, e)
		}
		if len(entries) > tileWidth || !bytes.HasPrefix(data, again) {
			t.Fatalf("parse %q: got %q", data, entries)
		}
		if (err == nil) != (len(again) == len(data)) {
			t.Fatalf("parse %q: got %v after %d bytes", data, err, len(again))
		}
	})
}

func FuzzParseTile(f *testing.F) {
	f.Add(make([]byte, 64))
	f.Add(make([]byte, 33))
	f.Fuzz(func(t *testing.T, data []byte) {
		hashes, err := parseTile(data)
		if (err == nil) != (len(data)%tlog.HashSize == 0) {
			t.Fatalf("parse %d bytes: got %v", len(data), err)
		}
		for i, h := range hashes {
			if !bytes.Equal(h[:], data[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
				t.Fatalf("parse %q: got hash %d %v", data, i, h)
			}
		}
	})
}

func TestTileNames(t *testing.T) {
	t.Parallel()
	tests := []struct{ got, want string }{
		{hashTile(0, 0, 256), "tile/0/000"},
		{hashTile(2, 999, 1), "tile/2/999.p/1"},
		{hashTile(63, 1000, 256), "tile/63/x001/000"},
		{entryBundle(1234067, 256), "tile/entries/x001/x234/067"},
		{entryBundle(1234067, 8), "tile/entries/x001/x234/067.p/8"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("name: got %s, want %s", tt.got, tt.want)
		}
	}
}

// The walk ends with a check that nothing before it can make fail; it is there
// for the day when something before it is wrong.
func TestConcludeHoldsTheRootAgain(t *testing.T) {
	t.Parallel()
	v := verification{report: Report{Checkpoint: Checkpoint{Size: 1, Root: tlog.RecordHash([]byte("a"))}}}
	v.seen.add(tlog.RecordHash([]byte("b")))
	if r := v.conclude(); r.Verdict != BadRoot {
		t.Errorf("conclude: got %+v, want %s", r, BadRoot)
	}
	v.seen = frontier{}
	v.seen.add(tlog.RecordHash([]byte("a")))
	if r := v.conclude(); !r.OK() {
		t.Errorf("conclude: got %+v, want ok", r)
	}
}
