// Command build makes a program of a function's Go files and the worker. It has three ways to be called:
//
//	build serve HOME STATE    makes the program, if there is none of the same content, and becomes it
//	build compile HOME STATE  makes KUBELESS_INSTALL_VOLUME/server, as Kubeless's compilation phase wants it
//	build install HOME STATE  fetches the modules that KUBELESS_DEPS_FILE lists
//
// HOME is the folder of this runtime. STATE says which Go and which worker it is, as tools.sh found out. What serve keeps
// is beside this program.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	// `go` and what it starts must not hold the wire (PROTOCOL 1.2).
	syscall.CloseOnExec(wire)
	mode, tools := os.Args[1], newToolchain(os.Args[2], os.Args[3])
	if err := map[string]func(*toolchain) error{"serve": serve, "compile": compile, "install": install}[mode](tools); err != nil {
		tell(mode, err)
		os.Exit(1)
	}
}

func serve(tools *toolchain) error {
	source, err := sourceOf(os.Getenv("KUBELESS_HANDLER_FILE"))
	if err != nil {
		return err
	}
	cache := openCache()
	program, err := cache.program(source, tools)
	if err != nil {
		return err
	}
	return become(program)
}

func compile(tools *toolchain) error {
	volume := os.Getenv("KUBELESS_INSTALL_VOLUME")
	source, err := wholeFolder(volume)
	if err != nil {
		return err
	}
	if name := os.Getenv("KUBELESS_FUNC_NAME"); name != "" && !source.has(name) {
		return fmt.Errorf("there is no function %q in %s; it has %s", name, source.names(), source.handlers())
	}
	scratch, err := os.MkdirTemp("", "kubeless-compile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	tools.lenient = false
	made, err := tools.build(modulesOf(source.folder), source, scratch)
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
	return tools.download(file, os.Getenv("KUBELESS_INSTALL_VOLUME"))
}

// become replaces this process, with its wire, by the program.
func become(program string) error {
	if isSocket(wire) {
		syscall.Syscall(syscall.SYS_FCNTL, wire, syscall.F_SETFD, 0)
	}
	return syscall.Exec(program, []string{program}, os.Environ())
}

// moveTo moves a file that may lie on another file system; who looks at the target sees all of it or nothing.
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
