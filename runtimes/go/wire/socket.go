// Package wire reads and writes the frames of PROTOCOL.md on the socket that the loader gives to a
// worker. It knows no handler.
package wire

import (
	"os"
	"syscall"
)

const (
	// inheritedFD is the descriptor of PROTOCOL 1.1.
	inheritedFD = 3
	// minFD keeps the wire away from the low numbers that programs close or write to by number.
	minFD = 64
)

var fd = -1

// init runs before the function's own init, because the function imports this package by way of
// pkg/functions. A child process that the function starts in its init must not hold the wire
// (PROTOCOL 1.2).
func init() {
	var stat syscall.Stat_t
	if os.Getenv("KUBELESS_WIRE") == "" || syscall.Fstat(inheritedFD, &stat) != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
		return
	}
	wire, err := duplicate(inheritedFD, syscall.F_DUPFD_CLOEXEC, minFD)
	if err != nil {
		return
	}
	fd = wire
	// Blocking reads and writes need half the system calls of Go's network poller.
	syscall.SetNonblock(fd, false)
	null, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	// Descriptor 3 stays occupied, so that no file of the function gets its number.
	syscall.Close(inheritedFD)
	duplicate(null, syscall.F_DUPFD_CLOEXEC, inheritedFD)
	// Standard input is empty (PROTOCOL 1.4), also under a parent other than the loader.
	syscall.Close(0)
	duplicate(null, syscall.F_DUPFD, 0)
	syscall.Close(null)
}

// IsOpen reports whether this process was started with a wire.
func IsOpen() bool { return fd >= 0 }

// duplicate returns a copy of a descriptor, with the lowest free number from min on.
func duplicate(from, command, min int) (int, error) {
	to, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(from), uintptr(command), uintptr(min))
	if errno != 0 {
		return -1, errno
	}
	return int(to), nil
}
