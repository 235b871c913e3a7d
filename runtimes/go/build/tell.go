package main

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
)

const wire = 3

// terminationLog is where Kubernetes reads a container's last words.
const terminationLog = "/dev/termination-log"

// messageMost is in bytes: Go says what is wrong first, and then what follows from it.
const messageMost = 16 << 10

// tell says why there is no program: on the wire when serving (PROTOCOL 3.2), else to who started this.
func tell(mode string, err error) {
	message := err.Error()
	if len(message) > messageMost {
		message = message[:messageMost] + " …"
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
	// Not created: at a desk there is none.
	if log, err := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC, 0); err == nil {
		fmt.Fprintln(log, message)
		log.Close()
	}
}

func isSocket(fd int) bool {
	var about syscall.Stat_t
	return syscall.Fstat(fd, &about) == nil && about.Mode&syscall.S_IFMT == syscall.S_IFSOCK
}
