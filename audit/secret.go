package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// readSecret reads a file that nobody but its owner may read.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	// Windows has no such bits; there the folder's access list has to do.
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return "", fmt.Errorf("%s has mode %04o and others can read it: chmod 600 %s, and think about a new key", path, mode, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(data)), nil
}

// createFile writes a new file durably and refuses to touch one that is there, by an fs.ErrExist: a
// key that is overwritten is lost, with everything that needs it. The file is there whole or not at all,
// also for another process and after a crash.
func createFile(path, text string, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := writeWhole(f, text, mode); err != nil {
		return err
	}
	// Unlike a rename, a link never replaces a file.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return err
	} else if err != nil { // a file system without links
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		if err := writeWhole(f, text, mode); err != nil {
			return errors.Join(err, os.Remove(path)) // half a key would be taken for one
		}
	}
	return syncFolder(dir)
}

func writeWhole(f *os.File, text string, mode fs.FileMode) error {
	_, err := f.WriteString(text + "\n")
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncFolder has the names of new files outlive a crash: what is encrypted with a key must not outlive it.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" { // has no such call, and keeps names itself
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// createSame is createFile where a file that holds the same is as good.
func createSame(path, text string, mode fs.FileMode) error {
	err := createFile(path, text, mode)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if there, readErr := os.ReadFile(path); readErr == nil && strings.TrimSpace(string(there)) == text {
		return nil
	}
	return err
}
