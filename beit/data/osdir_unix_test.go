//go:build unix

package data

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// Pipes and sockets are left out and never opened, wherever they are; names that are not UTF-8 are read.
func TestOddFilesOfFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b\xe9"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Skipf("this file system has only names in UTF-8: %v", err)
		}
	}
	for _, name := range []string{"a/1.png", "b\xe9/caf\xe9.png"} {
		if err := os.WriteFile(filepath.Join(dir, name), smallPNG, 0o666); err != nil {
			t.Skipf("this file system has only names in UTF-8: %v", err)
		}
	}
	pipe := filepath.Join(dir, "a", "pipe.png")
	for _, name := range []string{pipe, filepath.Join(dir, "a", "pipe")} {
		if err := syscall.Mkfifo(name, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("pipe", filepath.Join(dir, "a", "link.png")); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, name := range []string{"metadata.jsonl", imagenetSolution} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	src, err := Open(dir, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a/1.png a", "b\xe9/caf\xe9.png b\\xe9"}, listing(src.Train)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]int{"named pipe": 5, "socket": 1}, kinds(src.LeftOut)); d != "" {
		t.Errorf("left out (-want +got):\n%s", d)
	}
	readAll(t, src)
	if _, err := Open(pipe, DefaultLimits); err == nil || !strings.Contains(err.Error(), "not a regular file but a named pipe") {
		t.Errorf("a pipe: error %v", err)
	}
}

// A list that names a pipe is read; the pipe is a bad image.
func TestListedPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "2.png"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"1.png": string(smallPNG), "l.csv": "file,label\n1.png,a\n2.png,b\n", "l.jsonl": `{"class": "a", "files": ["1.png", "2.png"]}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"l.csv", "l.jsonl"} {
		src, err := Open(filepath.Join(dir, name), DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		NewSurvey(src, src.Train, nil)
		if _, err := src.Train.Sample(1); err == nil || !strings.Contains(err.Error(), "2.png: not a regular file") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestDirFS(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/1.png", "b.png"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), smallPNG, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := fstest.TestFS(dirFS(dir), "a/1.png", "b.png"); err != nil {
		t.Error(err)
	}
}
