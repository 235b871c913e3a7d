package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// own is the name of what is added to a function's package: a file, and a folder for the program.
const own = "zz_kubeless_worker"

// registration returns a file of the function's package, which alone can name unexported functions.
func registration(f *function) string {
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n\nimport %s %q\n\nfunc init() {\n", f.packageName(), own, library+"/worker")
	for _, file := range f.files {
		for _, name := range file.functions {
			fmt.Fprintf(&text, "\t%s.Register(%q, %q, %s)\n", own, filepath.Base(file.path), name, name)
		}
	}
	text.WriteString("}\n")
	return text.String()
}

// program returns the main package around the function's.
func program(f *function, module string) string {
	return fmt.Sprintf("package main\n\nimport (\n\t_ %q\n\t%q\n)\n\nfunc main() { worker.Main(worker.Options{WithoutExtensions: %t}) }\n",
		module, library+"/worker", !f.usesExtensions())
}
