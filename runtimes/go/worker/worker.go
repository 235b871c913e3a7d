// Package worker loads one function and calls it (PROTOCOL.md). build/ generates the program around
// a function's package and registers the package's functions here.
//
// The parts, as runtimes/ANATOMY.md names them:
//
//	worker   worker.go, exit.go                          start and end of the process
//	wire     ../wire                                     frames
//	errors   errors.go                                   errors and panics as messages with stacks
//	handler  handler.go, ../build                        finds the handler
//	event    event.go, request.go, context.go            what a handler gets
//	result   result.go, response.go, head.go             what a handler returns
//	calls    calls.go                                    calls that are open
//	runners  runners.go, monitor.go                      which goroutine runs a call
//	output   none: Go does not say for which call a goroutine prints
package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"

	"github.com/kubeless/kubeless/pkg/functions"
	"github.com/kubeless/kubeless/wire"
)

// Options is what build/ knows about the function from its source.
type Options struct {
	// WithoutExtensions is true if no code of the function can read Event.Extensions.
	WithoutExtensions bool
}

// maxStackBytes is the stack size at which Go ends the process. Go's default of 1 GB is more memory
// than most containers have: endless recursion should end with Go's message, not with SIGKILL.
const maxStackBytes = 256 << 20

const defaultConcurrency = 100

// Main serves the function until the loader ends the worker. It does not return.
func Main(options Options) {
	if !wire.IsOpen() {
		fmt.Fprintln(os.Stderr, "This program is a worker: the loader starts it with a socket on file descriptor 3. Use `kubeless-loader run FILE`.")
		os.Exit(1)
	}
	debug.SetMaxStack(maxStackBytes)
	out := wire.NewWriter()
	handler, loadError := find(os.Getenv("FUNC_HANDLER"), filepath.Base(os.Getenv("KUBELESS_HANDLER_FILE")))
	if loadError != nil {
		out.Add(wire.Failed{Code: "HANDLER_NOT_FOUND", Message: loadError.Message, Handlers: loadError.Handlers})
		out.Drain()
		os.Exit(1)
	}
	context := functions.Context{
		FunctionName: handler.name,
		Timeout:      os.Getenv("FUNC_TIMEOUT"),
		Runtime:      os.Getenv("FUNC_RUNTIME"),
		MemoryLimit:  os.Getenv("FUNC_MEMORY_LIMIT"),
	}
	concurrency, _ := strconv.Atoi(os.Getenv("FUNC_CONCURRENCY"))
	if concurrency < 1 {
		concurrency = defaultConcurrency
	}
	out.Add(wire.Ready{Handler: handler.name, Concurrency: concurrency})
	f := &function{
		handler:           handler.value.(functions.Handler),
		context:           context,
		withoutExtensions: options.WithoutExtensions,
		out:               out,
	}
	newRunners(f).serve()
}
