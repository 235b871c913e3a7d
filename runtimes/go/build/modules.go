package main

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// library is the module that functions import. This runtime's folder replaces it, in any version.
const library = "github.com/kubeless/kubeless"

// modules are a function's go.mod and go.sum; empty if the function has none.
type modules struct{ mod, sum []byte }

func modulesOf(folder string) modules {
	mod, _ := os.ReadFile(filepath.Join(folder, "go.mod"))
	sum, _ := os.ReadFile(filepath.Join(folder, "go.sum"))
	return modules{mod, sum}
}

var moduleLine = regexp.MustCompile(`(?m)^\s*module\s+("[^"\n]+"|` + "`[^`\n]+`" + `|\S+)`)

// name returns the module's name; "kubeless" if it has none, or if it has the library's.
func (m modules) name() string {
	found := moduleLine.FindSubmatch(m.mod)
	if found == nil {
		return "kubeless"
	}
	name := string(found[1])
	if unquoted, err := strconv.Unquote(name); err == nil {
		name = unquoted
	}
	if name == library {
		return "kubeless"
	}
	return name
}

// moduleName returns the module's name by which the function imports packages of its own: that of
// its go.mod, or "kubeless", under which Kubeless compiled all functions.
func (f *function) moduleName() string {
	for path := range f.imports() {
		if strings.HasPrefix(path, "kubeless/") {
			return "kubeless"
		}
	}
	return modulesOf(f.folder).name()
}

// writeModules writes a go.mod and a go.sum for Go into a scratch folder: the function's own, with
// this runtime in the place of the library. If the scratch folder has them from an earlier build
// with the same input, it keeps them: they also have the versions that Go has found since.
func (t *toolchain) writeModules(own modules, scratch, module string) error {
	input := sha256.Sum256(bytes.Join([][]byte{own.mod, own.sum, []byte(module), []byte(t.home)}, []byte{0}))
	inputFile := filepath.Join(scratch, "modules.sha256")
	if earlier, err := os.ReadFile(inputFile); err == nil && bytes.Equal(earlier, input[:]) {
		return nil
	}
	text := own.mod
	if len(bytes.TrimSpace(text)) == 0 { // Kubeless's controller makes an empty go.mod
		text = []byte("module kubeless\n\ngo " + language() + "\n")
	}
	file := filepath.Join(scratch, "go.mod")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(scratch, "go.sum"), own.sum, 0o644); err != nil {
		return err
	}
	if err := t.run(scratch, scratch, "mod", "edit", "-module="+module, "-require="+library+"@v1.0.8", "-replace="+library+"="+t.home, file); err != nil {
		return err
	}
	return os.WriteFile(inputFile, input[:], 0o644)
}

// language returns the language version for a function without a go.mod: that of the installed Go.
func language() string {
	numbers := regexp.MustCompile(`\d+\.\d+`).FindString(runtime.Version())
	if numbers == "" { // a development version
		return "1.21"
	}
	return numbers
}
