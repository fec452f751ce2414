package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// source is the source of a package.
type source struct {
	fset     *token.FileSet
	files    []file
	packages map[string]string // their names, by import path
}

type file struct {
	name string
	ast  *ast.File
}

// names adds every identifier of the package.
func (s *source) names(into map[string]bool) {
	for _, f := range s.files {
		for _, d := range f.ast.Decls {
			if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
				identifiers(d, into)
			}
		}
	}
}

func identifiers(n ast.Node, into map[string]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			into[id.Name] = true
		}
		return true
	})
}

// trim leaves out each declaration that nothing that stays names. What stays is
// rather too much: an identifier names all that is called so.
func (s *source) trim(wanted map[string]bool) {
	stays := map[ast.Decl]bool{}
	for grown := true; grown; {
		grown = false
		for _, f := range s.files {
			for _, d := range f.ast.Decls {
				if g, ok := d.(*ast.GenDecl); stays[d] || ok && g.Tok == token.IMPORT || !needed(d, wanted) {
					continue
				}
				stays[d], grown = true, true
				identifiers(d, wanted)
			}
		}
	}
	s.files = slices.DeleteFunc(s.files, func(f file) bool {
		f.ast.Decls = slices.DeleteFunc(f.ast.Decls, func(d ast.Decl) bool {
			g, ok := d.(*ast.GenDecl)
			return !stays[d] && (!ok || g.Tok != token.IMPORT)
		})
		return s.dropImports(f.ast) == 0
	})
}

// needed reports whether a declaration stays while the names are wanted. A method
// stays with its type. Those of a client, of which each operation has some, have
// to be named themselves.
func needed(d ast.Decl, wanted map[string]bool) bool {
	if f, ok := d.(*ast.FuncDecl); ok {
		if f.Recv == nil {
			return wanted[f.Name.Name] || f.Name.Name == "init" || f.Name.Name == "_"
		}
		receiver := receiverOf(f)
		return wanted[receiver] && (wanted[f.Name.Name] || receiver != "Client" && receiver != "PresignClient")
	}
	return slices.ContainsFunc(d.(*ast.GenDecl).Specs, func(s ast.Spec) bool {
		switch s := s.(type) {
		case *ast.TypeSpec:
			return wanted[s.Name.Name]
		case *ast.ValueSpec:
			return slices.ContainsFunc(s.Names, func(id *ast.Ident) bool {
				if id.Name != "_" {
					return wanted[id.Name]
				}
				// var _ Interface = value stays with its interface.
				named, ok := s.Type.(*ast.Ident)
				return !ok || wanted[named.Name]
			})
		}
		return true
	})
}

// receiverOf is the name of the type of a method.
func receiverOf(f *ast.FuncDecl) string {
	name := ""
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}

// dropImports leaves out the imports that the file does not use any more, and
// says how many declarations it has.
func (s *source) dropImports(f *ast.File) int {
	used := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if x, ok := n.(*ast.SelectorExpr); ok {
			identifiers(x.X, used)
		}
		return true
	})
	declared := 0
	f.Decls = slices.DeleteFunc(f.Decls, func(d ast.Decl) bool {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			declared++
			return false
		}
		g.Specs = slices.DeleteFunc(g.Specs, func(spec ast.Spec) bool {
			i := spec.(*ast.ImportSpec)
			path, _ := strconv.Unquote(i.Path.Value)
			name := s.packages[path]
			if i.Name != nil {
				name = i.Name.Name
			}
			return name != "_" && name != "." && !used[name]
		})
		return len(g.Specs) == 0
	})
	return declared
}

// write writes the files into a new folder.
func (s *source) write(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, f := range s.files {
		var text bytes.Buffer
		if err := printer.Fprint(&text, s.fset, f.ast); err != nil {
			return fmt.Errorf("print %s: %w", f.name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, f.name), text.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}
