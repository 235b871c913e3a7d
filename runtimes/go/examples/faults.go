// The function of test/chaos, whose README describes it.
package kubeless

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kubeless/kubeless/pkg/functions"
)

const version = "one"

func notes(event functions.Event, context functions.Context) (string, error) {
	var id, action string
	var number int
	fmt.Sscan(event.Data, &id, &action, &number)
	line := id + " " + version + "\n"
	if err := note(line); err != nil {
		return "", err
	}
	switch action {
	case "echo":
		return event.Data, nil
	case "sleep":
		time.Sleep(time.Duration(number) * time.Millisecond)
	case "stream":
		for i := 0; i < number; i++ {
			fmt.Fprint(event.Extensions.Response, line)
			event.Extensions.Response.(http.Flusher).Flush()
		}
		return "", nil
	case "raise":
		return "", errors.New(id)
	case "die":
		return line, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "hoard":
		return strconv.Itoa(len(make([]byte, number<<47))), nil
	case "print":
		os.Stdout.WriteString(strings.Repeat("{\"\xff\x00\n", number)[:number])
	case "spawn":
		return line, exec.Command("sleep", "30").Start()
	case "wire":
		for _, fd := range sockets() {
			syscall.Write(fd, []byte("no frame\n"))
		}
	case "answer":
		return strings.Repeat(line, number), nil
	}
	return line, nil
}

func note(line string) error {
	name := fmt.Sprintf("%s/%d", os.Getenv("FAULTS_NOTES"), os.Getpid())
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(line)
	return err
}

// sockets returns the descriptors of the worker's sockets. The wire is the one that write accepts.
func sockets() (found []int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		fd, _ := strconv.Atoi(entry.Name())
		target, _ := os.Readlink("/proc/self/fd/" + entry.Name())
		if fd > 2 && strings.HasPrefix(target, "socket:") {
			found = append(found, fd)
		}
	}
	return found
}
