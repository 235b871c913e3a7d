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

const library = "github.com/kubeless/kubeless"

// toolchain is the user's Go, told to build for this machine, without cgo, and nothing but the function.
type toolchain struct {
	// home is the folder of this runtime, which is the module that functions know as kubeless's.
	home string
	// state says which Go and which worker it is.
	state string
	// lenient says that what go.mod and go.sum leave open is found out; in a pod what go.sum says counts, or nothing.
	lenient bool
	env     []string
}

func newToolchain(home, state string) *toolchain {
	env := append(os.Environ(),
		"GO111MODULE=on", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	return &toolchain{home: home, state: state, lenient: true, env: env}
}

// build makes the program in a scratch folder, and gives its file. Nothing is written to the function's folder: what is added
// to it, and what is left away, is told to Go in an overlay.
func (t *toolchain) build(modules modules, s *source, scratch string) (string, error) {
	module := s.moduleIs()
	if err := t.prepare(modules, scratch, module); err != nil {
		return "", err
	}
	overlay := map[string]string{}
	add := func(name, text string) error {
		file := filepath.Join(scratch, strings.ReplaceAll(name, "/", "_"))
		overlay[filepath.Join(s.folder, name)] = file
		return os.WriteFile(file, []byte(text), 0o644)
	}
	overlay[filepath.Join(s.folder, "go.mod")] = filepath.Join(scratch, "go.mod") // makes the folder a module's
	for _, name := range s.left {
		overlay[filepath.Join(s.folder, name)] = ""
	}
	for _, file := range s.files {
		if file.name != filepath.Base(file.path) {
			overlay[filepath.Join(s.folder, file.name)] = file.path
		}
	}
	if err := add(own+".go", registration(s)); err != nil {
		return "", err
	}
	if err := add(own+"/main.go", program(module, s.isPlain(module))); err != nil {
		return "", err
	}
	text, _ := json.Marshal(map[string]interface{}{"Replace": overlay})
	plan := filepath.Join(scratch, "overlay.json")
	if err := os.WriteFile(plan, text, 0o644); err != nil {
		return "", err
	}
	made := filepath.Join(scratch, "program")
	mod := "-mod=mod"
	if !t.lenient && len(bytes.TrimSpace(modules.sum)) > 0 {
		mod = "-mod=readonly"
	}
	// Without symbols a program links faster; stacks keep their files and lines.
	err := t.run(s.folder, scratch, "build", mod, "-modfile="+filepath.Join(scratch, "go.mod"), "-overlay="+plan,
		"-buildvcs=false", "-ldflags=-s -w", "-o", made, "./"+own)
	if err != nil {
		return "", err
	}
	return made, nil
}

// prepare writes go.mod and go.sum: the function's own, with this runtime in the place of Kubeless's module, so that nothing
// has to be fetched for it.
func (t *toolchain) prepare(modules modules, scratch, module string) error {
	file := filepath.Join(scratch, "go.mod")
	text := modules.mod
	if len(bytes.TrimSpace(text)) == 0 { // Kubeless makes an empty one for every function without dependencies
		text = []byte("module kubeless\n\ngo " + language() + "\n")
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(scratch, "go.sum"), modules.sum, 0o644); err != nil {
		return err
	}
	return t.run(scratch, scratch, "mod", "edit", "-module="+module, "-require="+library+"@v1.0.8", "-replace="+library+"="+t.home, file)
}

// download fetches what a go.mod lists.
func (t *toolchain) download(file, scratch string) error {
	folder := filepath.Dir(file)
	modules := modulesOf(folder)
	if len(bytes.TrimSpace(modules.mod)) == 0 {
		return nil
	}
	if err := t.prepare(modules, scratch, modules.name()); err != nil {
		return err
	}
	return t.run(folder, scratch, "mod", "download", "-modfile="+filepath.Join(scratch, "go.mod"))
}

// warm compiles what every function needs, so that only the first one on a machine waits for it.
func (t *toolchain) warm() error {
	return t.run(t.home, os.TempDir(), "build", "-buildvcs=false", "./worker", "./pkg/functions")
}

func (t *toolchain) run(folder, scratch string, words ...string) error {
	command := exec.Command("go", words...)
	command.Dir = folder
	command.Env = append(t.env, "TMPDIR="+scratch) // Go takes no folder for a module's that is the one for temporary files
	output, err := command.CombinedOutput()
	if err == nil {
		return nil
	}
	text := clean(string(output), scratch)
	if text == "" {
		text = fmt.Sprintf("go %s: %v", words[0], err)
	}
	return errors.New(text)
}

// progress is what Go says that is not wrong: of which package the next lines are, and what it fetches.
var progress = regexp.MustCompile(`(?m)^(# |go: (finding|found|downloading|warning: ignoring) ).*\n?`)

// clean gives Go's own words, with the function's files where it names our copies.
func clean(output, scratch string) string {
	output = progress.ReplaceAllString(output, "")
	output = strings.ReplaceAll(output, scratch+"/", "")
	return strings.TrimSpace(output)
}

// language is the version of Go's language for a function that does not name one: that of the Go at hand.
func language() string {
	numbers := regexp.MustCompile(`\d+\.\d+`).FindString(runtime.Version())
	if numbers == "" { // a development version
		return "1.21"
	}
	return numbers
}
