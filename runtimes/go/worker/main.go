// Package worker holds one function and calls it (PROTOCOL.md). The program that build/ generates around a function's
// package has all its functions registered here.
package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"sort"
	"strconv"

	"github.com/kubeless/kubeless/pkg/functions"
	"github.com/kubeless/kubeless/wire"
)

// Options is what build/ knows of the function from its source.
type Options struct {
	// Plain: nothing in it can look at Event.Extensions, so that they need not be made.
	Plain bool
}

// stackMost is how far a stack grows in bytes before Go ends the process: its own 1 GB is more than most containers have,
// and a recursion without end should end with Go's message rather than with the kernel's SIGKILL.
const stackMost = 256 << 20

const concurrencyUsual = 100

type candidate struct {
	file, name string
	value      interface{}
}

var candidates []candidate

// Register tells of a function of the package and the file that has it; whether it is a handler is seen later.
func Register(file, name string, value interface{}) {
	candidates = append(candidates, candidate{file, name, value})
}

// Main serves the function until the loader ends it.
func Main(options Options) {
	if !wire.Taken() {
		fmt.Fprintln(os.Stderr, "This is a function's worker, which the loader starts, with a socket at descriptor 3: use `kubeless-loader run FILE`.")
		os.Exit(1)
	}
	debug.SetMaxStack(stackMost)
	out := wire.NewWriter()
	name, handler, err := find(os.Getenv("FUNC_HANDLER"), filepath.Base(os.Getenv("KUBELESS_HANDLER_FILE")))
	if err != nil {
		out.Add(wire.Failed("HANDLER_NOT_FOUND", err.Error(), names(handlers(candidates))), "", "")
		out.Drain()
		os.Exit(1)
	}
	context := functions.Context{
		FunctionName: name,
		Timeout:      os.Getenv("FUNC_TIMEOUT"),
		Runtime:      os.Getenv("FUNC_RUNTIME"),
		MemoryLimit:  os.Getenv("FUNC_MEMORY_LIMIT"),
	}
	concurrency, _ := strconv.Atoi(os.Getenv("FUNC_CONCURRENCY"))
	if concurrency < 1 {
		concurrency = concurrencyUsual
	}
	out.Add(wire.Ready(name, concurrency), "", "")
	newServer(out, handler, context, options).serve()
}

// find gives the handler of that name. Without a name: the only one of the file, or the only one in it that is exported.
func find(name, file string) (string, functions.Handler, error) {
	if name != "" {
		for _, one := range candidates {
			if one.name != name {
				continue
			}
			if handler, fits := one.value.(functions.Handler); fits {
				return name, handler, nil
			}
			return "", nil, fmt.Errorf("%s in %s is a %s; a handler is a func(event functions.Event, context functions.Context) (string, error)",
				name, one.file, reflect.TypeOf(one.value))
		}
		return "", nil, fmt.Errorf("there is no handler %q in %s", name, file)
	}
	var own, exported []candidate
	all := handlers(candidates)
	for _, one := range all {
		if one.file == file {
			own = append(own, one)
			if one.name[0] >= 'A' && one.name[0] <= 'Z' {
				exported = append(exported, one)
			}
		}
	}
	// In a container the file may have been compiled under another name.
	for _, some := range [][]candidate{own, exported, all} {
		if len(some) == 1 {
			return some[0].name, some[0].value.(functions.Handler), nil
		}
	}
	if len(all) == 0 {
		return "", nil, fmt.Errorf("%s has no handler: write func Hello(event functions.Event, context functions.Context) (string, error)", file)
	}
	return "", nil, fmt.Errorf("%s has more than one handler: name one with FUNC_HANDLER, or --handler at a desk", file)
}

func handlers(of []candidate) []candidate {
	var some []candidate
	for _, one := range of {
		if handler, fits := one.value.(functions.Handler); fits && handler != nil {
			some = append(some, one)
		}
	}
	return some
}

func names(of []candidate) []string {
	list := []string{}
	for _, one := range of {
		list = append(list, one.name)
	}
	sort.Strings(list)
	return list
}
