// Package wire speaks frames on the socket that the loader gives to a worker (PROTOCOL.md).
package wire

import (
	"os"
	"syscall"
)

const (
	given = 3
	// high is where descriptors are that nobody closes, or writes to, by number.
	high = 64
)

var fd = -1

// init runs before the function's own, as its package imports this one by way of pkg/functions: a child process that it
// starts while it is initialised must not hold the wire (PROTOCOL 1.2).
func init() {
	var about syscall.Stat_t
	if os.Getenv("KUBELESS_WIRE") == "" || syscall.Fstat(given, &about) != nil || about.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
		return
	}
	taken, err := duplicate(given, syscall.F_DUPFD_CLOEXEC, high)
	if err != nil {
		return
	}
	fd = taken
	// Read and write wait in the kernel: without Go's poller that is half the system calls.
	syscall.SetNonblock(fd, false)
	nothing, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	syscall.Close(given)
	duplicate(nothing, syscall.F_DUPFD_CLOEXEC, given)
	// PROTOCOL 1.4, also where someone else than the loader starts the worker
	syscall.Close(0)
	duplicate(nothing, syscall.F_DUPFD, 0)
	syscall.Close(nothing)
}

// Taken says whether there is a wire.
func Taken() bool { return fd >= 0 }

// duplicate gives the lowest free descriptor from least on.
func duplicate(from, command, least int) (int, error) {
	to, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(from), uintptr(command), uintptr(least))
	if errno != 0 {
		return -1, errno
	}
	return int(to), nil
}
