package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// toolchain is the installed Go, set to compile for this machine and without cgo.
type toolchain struct {
	// home is the folder of this runtime.
	home string
	// strict makes go.sum binding, if the function has one. Otherwise Go adds what is missing.
	strict bool
	env    []string
}

func newToolchain(home string) *toolchain {
	env := append(os.Environ(),
		"GO111MODULE=on", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	return &toolchain{home: home, env: env}
}

// build compiles the function to the file `program` of the scratch folder, and returns that file.
// If the program is up to date, Go leaves it as it is. The function's folder stays as it is: an
// overlay tells Go which files to add, and which to ignore.
func (t *toolchain) build(f *function, scratch string) (string, error) {
	module, modules := f.moduleName(), modulesOf(f.folder)
	if err := t.writeModules(modules, scratch, module); err != nil {
		return "", err
	}
	goMod := filepath.Join(scratch, "go.mod")
	overlay := map[string]string{filepath.Join(f.folder, "go.mod"): goMod} // makes the folder a module
	for _, name := range f.excluded {
		overlay[filepath.Join(f.folder, name)] = ""
	}
	add := func(name string, text []byte) error {
		file := filepath.Join(scratch, strings.ReplaceAll(name, "/", "_"))
		overlay[filepath.Join(f.folder, name)] = file
		return os.WriteFile(file, text, 0o644)
	}
	// Go compiles these copies, so a file that is saved during the build cannot get into Go's cache
	// under the hash of its previous content.
	for _, file := range f.files {
		if err := add(file.name, file.content); err != nil {
			return "", err
		}
	}
	if err := add(own+".go", []byte(registration(f))); err != nil {
		return "", err
	}
	if err := add(own+"/main.go", []byte(program(f, module))); err != nil {
		return "", err
	}
	text, _ := json.Marshal(map[string]interface{}{"Replace": overlay})
	overlayFile := filepath.Join(scratch, "overlay.json")
	if err := os.WriteFile(overlayFile, text, 0o644); err != nil {
		return "", err
	}
	mod := "-mod=mod"
	if t.strict && len(bytes.TrimSpace(modules.sum)) > 0 {
		mod = "-mod=readonly"
	}
	made := filepath.Join(scratch, "program")
	// Without symbols (-s -w) a program links faster. Stacks keep their files and lines.
	err := t.run(f.folder, scratch, "build", mod, "-modfile="+goMod, "-overlay="+overlayFile,
		"-buildvcs=false", "-ldflags=-s -w", "-o", made, "./"+own)
	return made, err
}

// download fetches the modules that a go.mod requires.
func (t *toolchain) download(file, scratch string) error {
	folder := filepath.Dir(file)
	modules := modulesOf(folder)
	if len(bytes.TrimSpace(modules.mod)) == 0 {
		return nil
	}
	if err := t.writeModules(modules, scratch, modules.name()); err != nil {
		return err
	}
	return t.run(folder, scratch, "mod", "download", "-modfile="+filepath.Join(scratch, "go.mod"))
}

// warm compiles the packages that every function needs into Go's cache.
func (t *toolchain) warm() error {
	t.env = append(t.env, "GOGC=400") // tools.sh has the reason
	return t.run(t.home, os.TempDir(), "build", "-buildvcs=false", "./worker", "./pkg/functions")
}

func (t *toolchain) run(folder, scratch string, args ...string) error {
	command := exec.Command("go", args...)
	command.Dir = folder
	command.Env = append(t.env, "TMPDIR="+scratch) // Go refuses a module whose folder is the one for temporary files
	output, err := command.CombinedOutput()
	if err == nil {
		return nil
	}
	text := clean(string(output), folder, scratch)
	if text == "" {
		text = fmt.Sprintf("go %s: %v", args[0], err)
	}
	return errors.New(text)
}

// progress matches lines that are no errors: the package that the next lines are about, and
// downloads.
var progress = regexp.MustCompile(`(?m)^(# |go: (finding|found|downloading|warning: ignoring) ).*\n?`)

// aboutOwn matches lines about generated files, which only repeat an error of the function's files.
var aboutOwn = regexp.MustCompile(`(?m)^.*\b` + own + `\b.*\n?`)

// clean returns Go's messages about the function's files. Where a message names a copy in the
// scratch folder, absolute or relative to the folder in which Go ran, it names the function's file
// instead.
func clean(output, folder, scratch string) string {
	output = progress.ReplaceAllString(output, "")
	copies := []string{scratch + "/"}
	if relative, err := filepath.Rel(folder, scratch); err == nil {
		copies = append(copies, "./"+relative+"/", relative+"/")
	}
	for _, prefix := range copies {
		output = strings.ReplaceAll(output, prefix+"go.", "go.") // go.mod, go.sum
		output = strings.ReplaceAll(output, prefix, "./")
	}
	if about := strings.TrimSpace(aboutOwn.ReplaceAllString(output, "")); about != "" {
		return about
	}
	return strings.TrimSpace(output)
}
