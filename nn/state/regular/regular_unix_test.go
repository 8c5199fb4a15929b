//go:build unix

package regular

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe that nobody writes to does not block.
func TestNamedPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f.jpg")
	if err := syscall.Mkfifo(name, 0o666); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	if _, err := ReadFile(name); !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), "a named pipe, not a regular file") {
		t.Errorf("a named pipe: %v", err)
	}
}
