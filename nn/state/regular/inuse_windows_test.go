package regular

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// What somebody looks at for a moment is waited for; what stays open is in use.
func TestFilesInUse(t *testing.T) {
	dir := t.TempDir()
	file, next := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, name := range []string{file, next} {
		if err := os.WriteFile(name, []byte(filepath.Base(name)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	look := func() *os.File {
		f, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, c := range []struct {
		what string
		do   func() error
	}{{"renamed over", func() error { return Rename(next, file) }}, {"removed", func() error { return Remove(file) }}} {
		f := look()
		time.AfterFunc(100*time.Millisecond, func() { f.Close() })
		if err := c.do(); err != nil {
			t.Errorf("a file that is open for a moment is not %s: %v", c.what, err)
		}
	}
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	f := look()
	defer f.Close()
	if err := os.Remove(file); !InUse(err) {
		t.Errorf("an open file was removed: %v", err)
	}
	if err := Remove(file); !InUse(err) {
		t.Errorf("an open file was removed after a while: %v", err)
	}
}

func TestDiskFull(t *testing.T) {
	if !DiskFull(&os.PathError{Op: "write", Err: windows.ERROR_DISK_FULL}) || DiskFull(windows.ERROR_SHARING_VIOLATION) || DiskFull(nil) {
		t.Error("a full disk is told by another error")
	}
}
