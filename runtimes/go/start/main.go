// Command start is start.sh where nothing can be compiled, as in an image, which then needs no shell: it becomes the server that compile.sh has
// left in $KUBELESS_INSTALL_VOLUME, or says on the wire that there is none (PROTOCOL 3.2).
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const wire = 3

func main() {
	volume := os.Getenv("KUBELESS_INSTALL_VOLUME")
	server := filepath.Join(volume, "server")
	err := syscall.Exec(server, []string{server}, os.Environ())
	message := fmt.Sprintf("%s cannot be started: %v", server, err)
	if errors.Is(err, fs.ErrNotExist) {
		message = fmt.Sprintf("the function is not compiled, there is no %s: run kubeless-compile of this runtime's installer image on %s first", server, volume)
	}
	line, _ := json.Marshal(map[string]string{"type": "failed", "code": "HANDLER_FAILED_TO_LOAD", "message": message})
	os.NewFile(wire, "wire").Write(append(line, '\n'))
	os.Exit(1)
}
