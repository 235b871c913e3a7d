package main

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
)

const wire = 3

// terminationLog is the file that Kubernetes shows as a container's termination message.
const terminationLog = "/dev/termination-log"

// maxMessageBytes bounds a message. Go reports the cause first, and consequences after it.
const maxMessageBytes = 16 << 10

// report sends the reason why there is no program: on the wire when serving (PROTOCOL 3.2), else on
// stderr.
func report(mode string, err error) {
	message := err.Error()
	if len(message) > maxMessageBytes {
		message = message[:maxMessageBytes] + " …"
	}
	if mode == "serve" && isSocket(wire) {
		line, _ := json.Marshal(map[string]string{"type": "failed", "code": "HANDLER_FAILED_TO_LOAD", "message": message})
		syscall.Write(wire, append(line, '\n'))
		return
	}
	fmt.Fprintln(os.Stderr, message)
	if mode != "compile" {
		return
	}
	// Not created: it exists only in a container of a pod.
	if log, err := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC, 0); err == nil {
		fmt.Fprintln(log, message)
		log.Close()
	}
}

func isSocket(fd int) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(fd, &stat) == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFSOCK
}
