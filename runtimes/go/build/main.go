// Command build compiles a function's Go files with the worker into one program. It has three
// modes:
//
//	build serve HOME    compiles $KUBELESS_HANDLER_FILE, unless its program is up to date, and becomes it
//	build compile HOME  makes $KUBELESS_INSTALL_VOLUME/server, for Kubeless's compilation phase
//	build install HOME  fetches the modules that $KUBELESS_DEPS_FILE requires
//
// HOME is the folder of this runtime. The cache of `serve` is the folder of this program.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	// `go` and its children must not hold the wire (PROTOCOL 1.2).
	syscall.CloseOnExec(wire)
	mode, tools := os.Args[1], newToolchain(os.Args[2])
	if err := map[string]func(*toolchain) error{"serve": serve, "compile": compile, "install": install}[mode](tools); err != nil {
		report(mode, err)
		os.Exit(1)
	}
}

func serve(tools *toolchain) error {
	path := os.Getenv("KUBELESS_HANDLER_FILE")
	entry, err := openEntry(path)
	if err != nil {
		return err
	}
	function, err := functionOf(path)
	if err != nil {
		return err
	}
	program, err := entry.program(function, tools)
	if err != nil {
		return err
	}
	return become(program)
}

func compile(tools *toolchain) error {
	volume := os.Getenv("KUBELESS_INSTALL_VOLUME")
	function, err := wholeFolder(volume)
	if err != nil {
		return err
	}
	if name := os.Getenv("KUBELESS_FUNC_NAME"); name != "" && !function.has(name) {
		return fmt.Errorf("there is no function %q in %s; it has %s", name, function.fileNames(), function.handlerNames())
	}
	scratch, err := os.MkdirTemp("", "kubeless-compile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	tools.strict = true
	made, err := tools.build(function, scratch)
	if err != nil {
		return err
	}
	return moveTo(made, filepath.Join(volume, "server"))
}

func install(tools *toolchain) error {
	file := os.Getenv("KUBELESS_DEPS_FILE")
	if file == filepath.Join(tools.home, "go.mod") {
		return tools.warm()
	}
	scratch, err := os.MkdirTemp("", "kubeless-install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	return tools.download(file, scratch)
}

// become replaces this process by the program, which inherits the wire.
func become(program string) error {
	if isSocket(wire) {
		syscall.Syscall(syscall.SYS_FCNTL, wire, syscall.F_SETFD, 0)
	}
	return syscall.Exec(program, []string{program}, os.Environ())
}

// moveTo moves a file, also to another file system. A reader of the target sees all of the file or
// nothing.
func moveTo(from, to string) error {
	if os.Rename(from, to) == nil {
		return nil
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	aside := fmt.Sprintf("%s.%d", to, time.Now().UnixNano())
	if err := os.WriteFile(aside, content, 0o755); err != nil {
		return err
	}
	return os.Rename(aside, to)
}
