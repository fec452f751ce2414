package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
)

// outputFile is where an answer goes instead of standard output; empty is there.
type outputFile string

func (f *outputFile) flag(p *pflag.FlagSet) {
	p.StringVar((*string)(f), "output-file", "", "write the answer to this file instead of standard output; an existing file is replaced")
}

// check refuses what cannot be written, and what must not be replaced, before
// anything is asked or done.
func (f outputFile) check(a *cli) error {
	path := string(f)
	if path == "" {
		return nil
	}
	if err := a.writable("--output-file", path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return usage("--output-file: %s is a folder; name a file", path)
	case err == nil && !info.Mode().IsRegular():
		return usage("--output-file: %s is not a regular file", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return usage("--output-file: %w", err)
	}
	probe, err := f.temporary()
	if errors.Is(err, fs.ErrNotExist) {
		return usage("--output-file: the folder of %s does not exist", path)
	}
	if err != nil {
		return usage("--output-file: cannot write %s: %w", path, err)
	}
	_ = probe.Close()
	return os.Remove(probe.Name())
}

// temporary makes a file of its own beside the one that is to be, with mode 0600.
// That is where a link leads: the link stays.
func (f outputFile) temporary() (*os.File, error) {
	path := followed(string(f))
	return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
}

// replace puts text in place of the file: as a whole, or not at all.
func (f outputFile) replace(text []byte) (err error) {
	tmp, err := f.temporary()
	if err != nil {
		return fmt.Errorf("write %s: %w", f, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", f, errors.Join(err, os.Remove(tmp.Name())))
		}
	}()
	if _, err := tmp.Write(text); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Sync(); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), followed(string(f)))
}

// answer lets print write to standard output, or to the file: that is there only
// if all of it could be written.
func (a *cli) answer(f outputFile, print func() error) error {
	if f == "" {
		return print()
	}
	if err := a.writable("--output-file", string(f)); err != nil { // the store may have named more files
		return err
	}
	var text bytes.Buffer
	out := a.out
	a.out = newScreen(&text)
	err := print()
	a.out = out
	if err != nil {
		return err
	}
	return f.replace(text.Bytes())
}
