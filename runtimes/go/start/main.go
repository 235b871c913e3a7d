// Command start replaces start.sh in an image without a shell and without Go. It becomes the server
// that compile.sh has made in $KUBELESS_INSTALL_VOLUME, or sends `failed` (PROTOCOL 3.2).
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
		message = fmt.Sprintf("the function is not compiled: %s does not exist. Run kubeless-compile of this runtime's installer image on %s first", server, volume)
	}
	line, _ := json.Marshal(map[string]string{"type": "failed", "code": "HANDLER_FAILED_TO_LOAD", "message": message})
	os.NewFile(wire, "wire").Write(append(line, '\n'))
	os.Exit(1)
}
