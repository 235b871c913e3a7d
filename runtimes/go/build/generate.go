package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// own is the name of what is added to a function's package: a file in it, and a folder for the program.
const own = "zz_kubeless_worker"

// registration is a file of the function's package, which alone can name what is not exported.
func registration(s *source) string {
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n\nimport %s %q\n\nfunc init() {\n", s.packageName(), own, "github.com/kubeless/kubeless/worker")
	for _, file := range s.files {
		for _, name := range file.functions {
			fmt.Fprintf(&text, "\t%s.Register(%q, %q, %s)\n", own, filepath.Base(file.path), name, name)
		}
	}
	text.WriteString("}\n")
	return text.String()
}

// program is the main package around the function's.
func program(module string, plain bool) string {
	return fmt.Sprintf("package main\n\nimport (\n\t_ %q\n\t%q\n)\n\nfunc main() { worker.Main(worker.Options{Plain: %t}) }\n",
		module, "github.com/kubeless/kubeless/worker", plain)
}
