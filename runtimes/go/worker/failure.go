package worker

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"

	"github.com/kubeless/kubeless/pkg/functions"
)

const (
	// framesMost is how many frames of a stack are told.
	framesMost = 50
	// messageMost is in bytes.
	messageMost = 8 << 10
)

// text says what an error, or what a handler panicked with, has to say. It may itself panic.
func text(value interface{}) (words string) {
	defer func() {
		if again := recover(); again != nil {
			words = fmt.Sprintf("%T, which panics when it is asked what it says", value)
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

// told is a stack as it is shown: by itself, so that it begins with what went wrong. The frame's message has all of that.
func told(message, stack string) string {
	if len(message) > messageMost {
		message = message[:messageMost] + " …"
	}
	if strings.HasPrefix(stack, message) {
		return stack
	}
	return message + "\n" + stack
}

// errorStack says where a returned error comes from: its own stack, if it has one to print, else the handler's place.
func errorStack(err error, handler functions.Handler) string {
	if _, prints := err.(fmt.Formatter); prints {
		if long := text(formatted{err}); strings.Contains(long, "\n") {
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

type formatted struct{ error }

func (f formatted) Error() string { return fmt.Sprintf("%+v", f.error) }

// panicStack is the stack of a panic that is being recovered from: the function's part of it.
func panicStack() string {
	programs := make([]uintptr, framesMost+20)
	frames := runtime.CallersFrames(programs[:runtime.Callers(0, programs)])
	var stack strings.Builder
	inside, count := false, 0
	for more := true; more && count < framesMost; {
		var frame runtime.Frame
		frame, more = frames.Next()
		if !inside {
			inside = frame.Function == "runtime.gopanic"
			continue
		}
		if frame.Function == ownRun {
			break
		}
		// The machinery between a faulty line and its panic.
		if count == 0 && strings.HasPrefix(frame.Function, "runtime.") {
			continue
		}
		fmt.Fprintf(&stack, "%s\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
		count++
	}
	return strings.TrimSuffix(stack.String(), "\n")
}

const ownRun = "github.com/kubeless/kubeless/worker.(*server).run"
