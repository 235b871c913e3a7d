package worker

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"

	"github.com/kubeless/kubeless/pkg/functions"
)

// CallError becomes an `error` frame (PROTOCOL 4.6).
type CallError struct{ Code, Message, Stack string }

// LoadError becomes a `failed` frame (PROTOCOL 3.2).
type LoadError struct {
	Message  string
	Handlers []string
}

const (
	maxStackFrames = 50
	// maxShownBytes is how much of a message is repeated at the start of its stack.
	maxShownBytes = 8 << 10
)

// panicError returns the error of a handler that did not return: it panicked with a value, or
// called runtime.Goexit (nil).
func panicError(value interface{}) CallError {
	if value == nil {
		return CallError{"FUNCTION_THREW", "the handler called runtime.Goexit", ""}
	}
	message := "panic: " + textOf(value)
	return CallError{"FUNCTION_THREW", message, withMessage(message, panicStack())}
}

// returnedError returns the error of a handler that returned err.
func returnedError(err error, cancelled bool, handler functions.Handler) CallError {
	code := "FUNCTION_THREW"
	if cancelled && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		code = "CANCELLED"
	}
	message := textOf(err)
	return CallError{code, message, withMessage(message, errorStack(err, handler))}
}

// textOf returns the text of an error or of a panic's value, whose own methods may panic.
func textOf(value interface{}) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T, which panics when its text is read", value)
		}
	}()
	switch value := value.(type) {
	case error:
		return value.Error()
	case fmt.Stringer:
		return value.String()
	case string:
		return value
	}
	return fmt.Sprintf("%v", value)
}

// withMessage returns a stack that begins with its message.
func withMessage(message, stack string) string {
	if len(message) > maxShownBytes {
		message = message[:maxShownBytes] + " …"
	}
	if strings.HasPrefix(stack, message) {
		return stack
	}
	return message + "\n" + stack
}

// errorStack returns the stack that an error prints with %+v, or else the position of the handler
// that returned it.
func errorStack(err error, handler functions.Handler) string {
	if _, formats := err.(fmt.Formatter); formats {
		if long := textOf(detailed{err}); strings.Contains(long, "\n") {
			return long
		}
	}
	function := runtime.FuncForPC(reflect.ValueOf(handler).Pointer())
	if function == nil {
		return ""
	}
	file, line := function.FileLine(function.Entry())
	return fmt.Sprintf("returned by %s\n\t%s:%d", function.Name(), file, line)
}

type detailed struct{ error }

func (d detailed) Error() string { return fmt.Sprintf("%+v", d.error) }

// runName is the function that calls handlers; a stack ends there.
const runName = "github.com/kubeless/kubeless/worker.(*function).run"

// panicStack returns the function's part of the stack of the panic that is being recovered.
func panicStack() string {
	counters := make([]uintptr, maxStackFrames+20)
	frames := runtime.CallersFrames(counters[:runtime.Callers(0, counters)])
	var stack strings.Builder
	inside, count := false, 0
	for more := true; more && count < maxStackFrames; {
		var frame runtime.Frame
		frame, more = frames.Next()
		if !inside {
			inside = frame.Function == "runtime.gopanic"
			continue
		}
		if frame.Function == runName {
			break
		}
		// Go's own frames between a faulty line and its panic, such as runtime.panicIndex.
		if count == 0 && strings.HasPrefix(frame.Function, "runtime.") {
			continue
		}
		fmt.Fprintf(&stack, "%s\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
		count++
	}
	return strings.TrimSuffix(stack.String(), "\n")
}
