// The handlers that the conformance vectors call (docs/conformance.md describes each).
package kubeless

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kubeless/kubeless/pkg/functions"
)

const words = "čšž ελ 日本 🎉"

var number int64

func init() {
	fmt.Println("conformance loaded")
}

func echoes(event functions.Event, context functions.Context) (string, error) {
	return event.Data, nil
}

func types(event functions.Event, context functions.Context) (string, error) {
	return object(map[string]string{
		"id":        event.EventID,
		"type":      event.EventType,
		"time":      event.EventTime,
		"namespace": event.EventNamespace,
		"data":      event.Data,
		"source":    event.Extensions.Attributes["source"],
	})
}

func context(event functions.Event, context functions.Context) (string, error) {
	return object(map[string]string{
		"function-name": context.FunctionName,
		"timeout":       context.Timeout,
		"runtime":       context.Runtime,
		"memory-limit":  context.MemoryLimit,
	})
}

func raises(event functions.Event, context functions.Context) (string, error) {
	panic(errors.New(event.Data))
}

// exits ends its goroutine. os.Exit would end the process, which no worker can prevent.
func exits(event functions.Event, context functions.Context) (string, error) {
	runtime.Goexit()
	return "", nil
}

func dies(event functions.Event, context functions.Context) (string, error) {
	return "", syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

func recurses(event functions.Event, context functions.Context) (string, error) {
	return recurses(event, context)
}

func prints(event functions.Event, context functions.Context) (string, error) {
	fmt.Println(event.Data)
	fmt.Fprintln(os.Stderr, event.Data)
	return "printed", nil
}

func unicode(event functions.Event, context functions.Context) (string, error) {
	fmt.Println(words)
	if event.Data == "raise" {
		return "", errors.New(words)
	}
	return words, nil
}

func sleeps(event functions.Event, context functions.Context) (string, error) {
	ms, err := strconv.Atoi(event.Data)
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return "slept", err
}

func bytes(event functions.Event, context functions.Context) (string, error) {
	var all [256]byte
	for value := range all {
		all[value] = byte(value)
	}
	return string(all[:]), nil
}

func big(event functions.Event, context functions.Context) (string, error) {
	size, err := strconv.Atoi(event.Data)
	return strings.Repeat("0123456789", size/10), err
}

func streams(event functions.Event, context functions.Context) (string, error) {
	var n, m, ms int
	var then string
	fmt.Sscan(event.Data, &n, &m, &ms, &then)
	response := event.Extensions.Response
	for i := 0; i < n; i++ {
		if i > 0 {
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
		io.WriteString(response, strings.Repeat(strconv.Itoa(i%10), m))
		response.(http.Flusher).Flush()
	}
	if then == "raise" {
		return "", errors.New("broken off")
	}
	return "", nil
}

func headers(event functions.Event, context functions.Context) (string, error) {
	header := event.Extensions.Response.Header()
	header.Set("Content-Type", "text/plain")
	header.Set("X-Name", "Ada")
	header.Add("Set-Cookie", "a=1")
	header.Add("Set-Cookie", "b=2")
	event.Extensions.Response.WriteHeader(http.StatusCreated)
	return "made", nil
}

func request(event functions.Event, context functions.Context) (string, error) {
	request := event.Extensions.Request
	return object(map[string]string{
		"method": request.Method,
		"path":   request.URL.EscapedPath(),
		"query":  request.URL.Query().Get("x"),
		"header": request.Header.Get("X-Name"),
	})
}

// nonsense sets a header whose value would end the headers.
func nonsense(event functions.Event, context functions.Context) (string, error) {
	event.Extensions.Response.Header().Set("X-Name", "one\r\n\r\ntwo")
	return "", nil
}

func spawns(event functions.Event, context functions.Context) (string, error) {
	sleep := exec.Command("sleep", "30")
	if err := sleep.Start(); err != nil {
		return "", err
	}
	return strconv.Itoa(sleep.Process.Pid), nil
}

func stdin(event functions.Event, context functions.Context) (string, error) {
	read, err := io.ReadAll(os.Stdin)
	return string(read), err
}

func counts(event functions.Event, context functions.Context) (string, error) {
	return strconv.FormatInt(atomic.AddInt64(&number, 1), 10), nil
}

func object(fields map[string]string) (string, error) {
	text, err := json.Marshal(fields)
	return string(text), err
}
