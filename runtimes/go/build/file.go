package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
)

const functionsPath = library + "/pkg/functions"

// goFile is a file as far as it can be parsed: what is wrong with it is for the compiler to say.
type goFile struct {
	path string
	// name is what Go is to call it: it wants names that end in .go
	name     string
	content  []byte
	syntax   *ast.File
	declares map[string]bool
	// functions are those without a receiver and without type parameters, and variables that hold one
	functions []string
	// handlers are the functions that look like one
	handlers []string
}

func readFile(path string) *goFile {
	f := &goFile{path: path, name: filepath.Base(path), declares: map[string]bool{}}
	f.content, _ = os.ReadFile(path)
	f.syntax, _ = parser.ParseFile(token.NewFileSet(), path, f.content, 0)
	if f.syntax == nil {
		return f
	}
	alias := f.functionsAlias()
	for _, declaration := range f.syntax.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			if declaration.Recv == nil {
				f.function(declaration.Name.Name, declaration.Type, alias)
			}
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				f.spec(spec, alias)
			}
		}
	}
	return f
}

func (f *goFile) packageName() string {
	if f.syntax == nil || f.syntax.Name == nil {
		return ""
	}
	return f.syntax.Name.Name
}

func (f *goFile) imports() []string {
	if f.syntax == nil {
		return nil
	}
	var paths []string
	for _, spec := range f.syntax.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

func (f *goFile) declaresAny(names map[string]bool) bool {
	for name := range f.declares {
		if names[name] {
			return true
		}
	}
	return false
}

func (f *goFile) spec(spec ast.Spec, alias string) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		f.declares[spec.Name.Name] = true
	case *ast.ValueSpec:
		for index, name := range spec.Names {
			f.declares[name.Name] = true
			if index >= len(spec.Values) {
				continue
			}
			if function, is := spec.Values[index].(*ast.FuncLit); is {
				f.function(name.Name, function.Type, alias)
			}
		}
	}
}

func (f *goFile) function(name string, kind *ast.FuncType, alias string) {
	if name == "init" || name == "_" || name == "main" {
		return
	}
	f.declares[name] = true
	if kind.TypeParams != nil {
		return
	}
	f.functions = append(f.functions, name)
	parameters := fieldTypes(kind.Params)
	if len(parameters) == 2 && len(fieldTypes(kind.Results)) == 2 && isNamed(parameters[0], alias, "Event") && isNamed(parameters[1], alias, "Context") {
		f.handlers = append(f.handlers, name)
	}
}

// fieldTypes gives the type of each parameter or result.
func fieldTypes(list *ast.FieldList) []ast.Expr {
	var types []ast.Expr
	if list == nil {
		return nil
	}
	for _, field := range list.List {
		types = append(types, field.Type)
		for range skipFirst(field.Names) {
			types = append(types, field.Type)
		}
	}
	return types
}

func skipFirst(names []*ast.Ident) []*ast.Ident {
	if len(names) == 0 {
		return nil
	}
	return names[1:]
}

// isNamed says whether a type is functions.<name>, by whatever name the file imports that package; "." gives it none.
func isNamed(kind ast.Expr, alias, name string) bool {
	switch kind := kind.(type) {
	case *ast.SelectorExpr:
		left, is := kind.X.(*ast.Ident)
		return is && left.Name == alias && kind.Sel.Name == name
	case *ast.Ident:
		return alias == "." && kind.Name == name
	}
	return false
}

// functionsAlias is the name by which the file has imported the package of handlers' types; "" if it has not.
func (f *goFile) functionsAlias() string {
	for _, spec := range f.syntax.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err != nil || path != functionsPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return "functions"
	}
	return ""
}
