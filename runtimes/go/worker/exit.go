package worker

import (
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/kubeless/kubeless/wire"
)

const (
	// exitPoll is how often exit looks whether the function has handled SIGTERM.
	exitPoll = 5 * time.Millisecond
	// maxSettlePolls bounds the wait for goroutines to block before the signal. One that still runs
	// then counts as one that never blocks.
	maxSettlePolls = 40
)

// exit ends the worker after `stop`, when every call is answered (PROTOCOL 6.2). A function that
// uses signal.Notify gets SIGTERM first, and the time to handle it. The loader bounds that time: it
// kills a worker that does not exit.
func exit(out *wire.Writer) {
	out.Drain()
	before := goroutines()
	for polls := 0; before.listen && before.running > 0 && polls < maxSettlePolls; polls++ {
		time.Sleep(exitPoll)
		before = goroutines()
	}
	if before.listen {
		received := make(chan os.Signal, 1)
		signal.Notify(received, syscall.SIGTERM) // else SIGTERM ends a process that listens to other signals
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		<-received
		for rest := 0; rest < 2; time.Sleep(exitPoll) {
			if rest++; !goroutines().areBackAt(before) {
				rest = 0
			}
		}
	}
	os.Exit(0)
}

// snapshot has every goroutine but the caller's and the monitor's.
type snapshot struct {
	stacks  map[string]string // by goroutine id; "": the goroutine runs
	running int
	// listen is true if the function (or a package of it) has called signal.Notify.
	listen bool
}

// goroutines takes a snapshot. Go has no list of signal.Notify's channels, but the first call of
// signal.Notify starts a goroutine that never ends.
func goroutines() snapshot {
	buffer := make([]byte, 64<<10)
	for {
		if size := runtime.Stack(buffer, true); size < len(buffer) {
			buffer = buffer[:size]
			break
		}
		buffer = make([]byte, 2*len(buffer))
	}
	all := strings.Split(string(buffer), "\n\n")
	s := snapshot{stacks: map[string]string{}}
	for _, one := range all[1:] { // the first one is the caller's
		// goroutine 18 [chan receive, 2 minutes]:
		title, stack, _ := strings.Cut(one, "\n")
		if strings.Contains(stack, "worker.(*runners).monitor(") {
			continue
		}
		id, state, _ := strings.Cut(title, " [")
		if strings.HasPrefix(state, "run") {
			stack = ""
			s.running++
		}
		s.stacks[id] = stack
		s.listen = s.listen || strings.HasPrefix(stack, "os/signal.")
	}
	return s
}

// areBackAt reports whether every goroutine blocks where it blocked before the signal. New
// goroutines must have ended.
func (s snapshot) areBackAt(before snapshot) bool {
	for id, stack := range s.stacks {
		if was, known := before.stacks[id]; !known || was != "" && stack != was {
			return false
		}
	}
	return true
}
