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

// source is what a function is made of: the files of its package, all in one folder.
type source struct {
	folder string
	// files are those that belong to the function; left are the folder's others, which Go must not see.
	files []*goFile
	left  []string
}

// sourceOf gives the function in a file. Of its folder, those files belong to it that have no handler of their own, and
// those that have one and that it needs: other functions may lie beside it.
func sourceOf(path string) (*source, error) {
	if about, err := os.Stat(path); err != nil || !about.Mode().IsRegular() {
		return nil, fmt.Errorf("there is no file %s", path)
	}
	folder, base := filepath.Split(path)
	folder = filepath.Clean(folder)
	own := readFile(path)
	if own.name = base; !strings.HasSuffix(base, ".go") {
		own.name += ".go"
	} else if matches, err := context().MatchFile(folder, base); err == nil && !matches || strings.HasSuffix(base, "_test.go") {
		return nil, fmt.Errorf("Go leaves %s out, by its name or by its build constraints: give it another name, or take them away", base)
	}
	if own.packageName() == "main" {
		return nil, fmt.Errorf("%s is in package main, which cannot be served: write `package kubeless`", base)
	}
	s := &source{folder: folder, files: []*goFile{own}}
	var others []*goFile
	for _, name := range goNames(folder) {
		if name == base {
			continue
		}
		file := readFile(filepath.Join(folder, name))
		switch {
		case file.syntax != nil && file.packageName() != own.packageName():
			s.left = append(s.left, name)
		case len(file.handlers) > 0:
			others = append(others, file)
		default:
			s.files = append(s.files, file)
		}
	}
	for _, file := range s.take(others) {
		s.left = append(s.left, file.name)
	}
	return s, nil
}

// wholeFolder gives the function that a folder is.
func wholeFolder(folder string) (*source, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	s := &source{folder: folder}
	for _, name := range goNames(folder) {
		s.files = append(s.files, readFile(filepath.Join(folder, name)))
	}
	if len(s.files) == 0 {
		return nil, fmt.Errorf("there is no Go file in %s", folder)
	}
	return s, nil
}

// take adds those files that the function's use something of, and gives the others.
func (s *source) take(others []*goFile) []*goFile {
	for again := true; again; {
		again = false
		wanted := s.wanted()
		var rest []*goFile
		for _, file := range others {
			if file.declaresAny(wanted) {
				s.files = append(s.files, file)
				again = true
			} else {
				rest = append(rest, file)
			}
		}
		others = rest
	}
	return others
}

// wanted gives the names that the files use and none of them declares.
func (s *source) wanted() map[string]bool {
	wanted := map[string]bool{}
	for _, file := range s.files {
		if file.syntax == nil {
			continue
		}
		for _, name := range file.syntax.Unresolved {
			wanted[name.Name] = true
		}
	}
	for _, file := range s.files {
		for name := range file.declares {
			delete(wanted, name)
		}
	}
	return wanted
}

func (s *source) has(name string) bool {
	for _, file := range s.files {
		for _, function := range file.functions {
			if function == name {
				return true
			}
		}
	}
	return false
}

func (s *source) names() string {
	var names []string
	for _, file := range s.files {
		names = append(names, file.name)
	}
	return strings.Join(names, ", ")
}

func (s *source) handlers() string {
	var names []string
	for _, file := range s.files {
		names = append(names, file.handlers...)
	}
	if len(names) == 0 {
		return "no handler"
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

func (s *source) packageName() string {
	for _, file := range s.files {
		if file.syntax != nil {
			return file.packageName()
		}
	}
	return "kubeless"
}

// imports gives the packages that the function's files import.
func (s *source) imports() map[string]bool {
	paths := map[string]bool{}
	for _, file := range s.files {
		for _, path := range file.imports() {
			paths[path] = true
		}
	}
	return paths
}

// context is what Go builds for.
func context() *build.Context {
	context := build.Default
	context.CgoEnabled = false
	for _, flag := range strings.Fields(os.Getenv("GOFLAGS")) {
		if tags, is := cut(strings.TrimLeft(flag, "-"), "tags="); is {
			context.BuildTags = strings.Split(tags, ",")
		}
	}
	return &context
}

func cut(text, prefix string) (string, bool) {
	return strings.TrimPrefix(text, prefix), strings.HasPrefix(text, prefix)
}

// goNames gives the files of a folder that Go compiles.
func goNames(folder string) []string {
	entries, _ := os.ReadDir(folder)
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		matches, err := context().MatchFile(folder, name)
		if matches || err != nil && !errors.Is(err, os.ErrNotExist) && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	return names
}
