// Command sdktrim makes the demo quick to compile. It writes copies of the AWS
// SDK's service modules without the operations that nobody calls, and a go.mod
// that replaces the modules by the copies:
//
//	sdktrim FOLDER TAGS PACKAGE
//
// It is run in the root of the module. go build -overlay cannot do it: it refuses
// files of the module cache.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: sdktrim FOLDER TAGS PACKAGE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "sdktrim:", strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
}

const services = "github.com/aws/aws-sdk-go-v2/service/"

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Name, Dir string
	GoFiles, EmbedFiles   []string
	SFiles, CgoFiles      []string
	Imports               []string
	Module                *struct {
		Path, Dir string
		Main      bool
	}
}

// run writes the copies and the go.mod into a new folder.
func run(folder, tags, pkg string) error {
	list, err := goList(tags, pkg)
	if err != nil {
		return err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	trimmed, err := trimAll(list)
	if err != nil {
		return err
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return err
	}
	for _, l := range list {
		files, ok := trimmed[l.ImportPath]
		if !ok {
			continue
		}
		rest, _ := strings.CutPrefix(l.ImportPath, l.Module.Path)
		copied := filepath.Join(folder, filepath.Base(l.Module.Path))
		if err := files.write(filepath.Join(copied, rest)); err != nil {
			return err
		}
		if rest != "" {
			continue
		}
		if err := copyFile(filepath.Join(copied, "go.mod"), filepath.Join(l.Module.Dir, "go.mod")); err != nil {
			return err
		}
		mod = fmt.Appendf(mod, "\nreplace %s => %q\n", l.Module.Path, copied)
	}
	if err := os.WriteFile(filepath.Join(folder, "go.mod"), mod, 0o600); err != nil {
		return err
	}
	return copyFile(filepath.Join(folder, "go.sum"), "go.sum")
}

// goList lists a package and all that it needs, what is needed first.
func goList(tags, pkg string) ([]listed, error) {
	text, err := exec.Command("go", "list", "-deps", "-tags", tags, "-json=ImportPath,Name,Dir,GoFiles,EmbedFiles,SFiles,CgoFiles,Imports,Module", pkg).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var list []listed
	for d := json.NewDecoder(strings.NewReader(string(text))); ; {
		var l listed
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		list = append(list, l)
	}
}

// trimAll trims the packages of each service that only the main module imports,
// whoever imports before what is imported, so that of each package stays what
// the trimmed ones name.
func trimAll(list []listed) (map[string]*source, error) {
	names := map[string]string{}
	importers := map[string][]listed{}
	for _, l := range list {
		names[l.ImportPath] = l.Name
		for _, path := range l.Imports {
			importers[path] = append(importers[path], l)
		}
	}
	kept := map[string]bool{} // modules that stay as they are
	for _, l := range list {
		foreign := func(by listed) bool { return by.Module == nil || !by.Module.Main && by.Module.Path != l.Module.Path }
		if l.service() && (slices.ContainsFunc(importers[l.ImportPath], foreign) || len(l.EmbedFiles)+len(l.SFiles)+len(l.CgoFiles) > 0 || slices.Contains(l.Imports, "unsafe")) {
			kept[l.Module.Path] = true
		}
	}
	read := map[string]*source{}
	out := map[string]*source{}
	for _, l := range slices.Backward(list) {
		ours := l.Module != nil && l.Module.Main
		if !ours && (!l.service() || kept[l.Module.Path]) {
			continue
		}
		s, err := readSource(l, names)
		if err != nil {
			return nil, err
		}
		read[l.ImportPath] = s
		if ours {
			continue
		}
		wanted := map[string]bool{}
		for _, by := range importers[l.ImportPath] {
			read[by.ImportPath].names(wanted)
		}
		s.trim(wanted)
		out[l.ImportPath] = s
	}
	return out, nil
}

// service reports whether the package is of the SDK of a service.
func (l listed) service() bool {
	if l.Module == nil {
		return false
	}
	name, ok := strings.CutPrefix(l.Module.Path, services)
	return ok && !strings.Contains(name, "/")
}

// readSource parses the files of a package. Comments are left behind: what build
// constraints say, go list has followed.
func readSource(l listed, names map[string]string) (*source, error) {
	s := &source{fset: token.NewFileSet(), packages: names}
	for _, name := range l.GoFiles {
		f, err := parser.ParseFile(s.fset, filepath.Join(l.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, file{name, f})
	}
	return s, nil
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}
