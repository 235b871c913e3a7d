package main

import (
	"errors"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// function is the package that a function is made of: files of one folder.
type function struct {
	folder string
	files  []*goFile
	// excluded are the folder's other files, which Go must not see.
	excluded []string
}

// functionOf returns the function in a file. It includes the folder's files without a handler, and
// those with a handler that it uses: other functions may lie beside it.
func functionOf(path string) (*function, error) {
	if stat, err := os.Stat(path); err != nil || !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("there is no file %s", path)
	}
	folder, base := filepath.Split(path)
	folder = filepath.Clean(folder)
	own := readFile(path)
	if !strings.HasSuffix(base, ".go") {
		own.name += ".go"
	} else if matches, err := context().MatchFile(folder, base); err == nil && !matches || strings.HasSuffix(base, "_test.go") {
		return nil, fmt.Errorf("%s is excluded by its name or by its build constraints. Rename it, or remove the constraints", base)
	}
	f := &function{folder: folder, files: []*goFile{own}}
	var others []*goFile
	for _, name := range goNames(folder) {
		if name == base {
			continue
		}
		file := readFile(filepath.Join(folder, name))
		switch {
		case file.syntax != nil && file.packageName() != own.packageName():
			f.excluded = append(f.excluded, name)
		case len(file.handlers) > 0:
			others = append(others, file)
		default:
			f.files = append(f.files, file)
		}
	}
	for _, file := range f.include(others) {
		f.excluded = append(f.excluded, file.name)
	}
	return f, f.check()
}

// wholeFolder returns the function that consists of all files of a folder.
func wholeFolder(folder string) (*function, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	f := &function{folder: folder}
	for _, name := range goNames(folder) {
		f.files = append(f.files, readFile(filepath.Join(folder, name)))
	}
	if len(f.files) == 0 {
		return nil, fmt.Errorf("there is no Go file in %s", folder)
	}
	return f, f.check()
}

// check returns an error for mistakes about which the compiler would blame a generated file.
func (f *function) check() error {
	var first *goFile
	for _, file := range f.files {
		if file.syntax == nil {
			continue
		}
		if first == nil {
			first = file
		}
		if file.packageName() == "main" {
			return fmt.Errorf("%s is in package main, which cannot be imported. Write `package kubeless`", file.name)
		}
		if file.packageName() != first.packageName() {
			return fmt.Errorf("%s is in package %s, but %s is in package %s. Use one package name in a folder",
				first.name, first.packageName(), file.name, file.packageName())
		}
		for _, path := range file.imports() {
			if path == "C" {
				return fmt.Errorf(`%s imports "C", but functions are compiled without cgo (CGO_ENABLED=0). Use a package that is written in Go`, file.name)
			}
		}
	}
	return nil
}

// include adds the files that declare something the function uses, and returns the others.
func (f *function) include(others []*goFile) []*goFile {
	for again := true; again; {
		again = false
		undeclared := f.undeclared()
		var rest []*goFile
		for _, file := range others {
			if file.declaresAny(undeclared) {
				f.files = append(f.files, file)
				again = true
			} else {
				rest = append(rest, file)
			}
		}
		others = rest
	}
	return others
}

// undeclared returns the names that the files use and do not declare.
func (f *function) undeclared() map[string]bool {
	names := map[string]bool{}
	for _, file := range f.files {
		if file.syntax == nil {
			continue
		}
		for _, name := range file.syntax.Unresolved {
			names[name.Name] = true
		}
	}
	for _, file := range f.files {
		for name := range file.declares {
			delete(names, name)
		}
	}
	return names
}

func (f *function) has(name string) bool {
	for _, file := range f.files {
		for _, function := range file.functions {
			if function == name {
				return true
			}
		}
	}
	return false
}

func (f *function) fileNames() string {
	var names []string
	for _, file := range f.files {
		names = append(names, file.name)
	}
	return strings.Join(names, ", ")
}

func (f *function) handlerNames() string {
	var names []string
	for _, file := range f.files {
		names = append(names, file.handlers...)
	}
	if len(names) == 0 {
		return "no handler"
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

func (f *function) packageName() string {
	for _, file := range f.files {
		if file.syntax != nil {
			return file.packageName()
		}
	}
	return "kubeless"
}

func (f *function) imports() map[string]bool {
	paths := map[string]bool{}
	for _, file := range f.files {
		for _, path := range file.imports() {
			paths[path] = true
		}
	}
	return paths
}

// usesExtensions reports whether code of the function may read Event.Extensions. If not, the worker
// makes no request, response and context: that halves the cost of a call. It is true for a function
// that has the word, that passes events to packages outside the standard library, or that imports a
// package which reads fields by their names.
func (f *function) usesExtensions() bool {
	for _, file := range f.files {
		if file.syntax == nil || strings.Contains(string(file.content), "Extension") {
			return true
		}
	}
	for path := range f.imports() {
		switch path {
		case functionsPath:
			continue
		case "reflect", "unsafe", "text/template", "html/template":
			return true
		}
		if _, err := os.Stat(filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(path))); err != nil {
			return true
		}
	}
	return false
}

// context is what Go compiles for.
func context() *build.Context {
	context := build.Default
	context.CgoEnabled = false
	for _, flag := range strings.Fields(os.Getenv("GOFLAGS")) {
		flag = strings.TrimLeft(flag, "-")
		if tags := strings.TrimPrefix(flag, "tags="); tags != flag {
			context.BuildTags = strings.Split(tags, ",")
		}
	}
	return &context
}

// goNames returns the names of a folder's files that Go compiles.
func goNames(folder string) []string {
	entries, _ := os.ReadDir(folder)
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		matches, err := context().MatchFile(folder, name)
		// A file with a syntax error counts: the compiler will report the error.
		if matches || err != nil && !errors.Is(err, os.ErrNotExist) && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	return names
}
