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

// goFile is a source file, as far as it can be parsed. The compiler reports its errors.
type goFile struct {
	path string
	// name is the file's name for Go, which needs the suffix .go.
	name     string
	content  []byte
	syntax   *ast.File // nil if nothing could be parsed
	declares map[string]bool
	// functions are the functions without a receiver and without type parameters, and the variables
	// that hold a function literal.
	functions []string
	// handlers are the functions with a handler's parameters.
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
				f.addFunction(declaration.Name.Name, declaration.Type, alias)
			}
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				f.addSpec(spec, alias)
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

func (f *goFile) addSpec(spec ast.Spec, alias string) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		f.declares[spec.Name.Name] = true
	case *ast.ValueSpec:
		for index, name := range spec.Names {
			f.declares[name.Name] = true
			if index >= len(spec.Values) {
				continue
			}
			if literal, is := spec.Values[index].(*ast.FuncLit); is {
				f.addFunction(name.Name, literal.Type, alias)
			}
		}
	}
}

func (f *goFile) addFunction(name string, kind *ast.FuncType, alias string) {
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

// fieldTypes returns the type of each parameter or result: `a, b string` is one field and two
// types.
func fieldTypes(list *ast.FieldList) []ast.Expr {
	if list == nil {
		return nil
	}
	var types []ast.Expr
	for _, field := range list.List {
		types = append(types, field.Type)
		for count := 1; count < len(field.Names); count++ {
			types = append(types, field.Type)
		}
	}
	return types
}

// isNamed reports whether a type is `alias.name`, or `name` after an import with a dot.
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

// functionsAlias returns the name under which the file imports pkg/functions; "" if it does not.
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
