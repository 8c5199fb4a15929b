package regular

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "a"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if _, err := os.Stat(link); err != nil {
		t.Skip("symbolic links are not followed here: ", err)
	}
	for _, name := range []string{file, link} {
		if got, err := ReadFile(name); err != nil || string(got) != "text" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := ReadFile(dir); !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), dir+": a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := ReadFile(filepath.Join(dir, "gone")); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), "gone") != 1 {
		t.Errorf("a missing file: %v", err)
	}
}

func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if entries, err := ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != "a" {
		t.Errorf("a folder: %v, %v", entries, err)
	}
	if _, err := ReadDir(file); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("a file: %v", err)
	}
	if _, err := ReadDir(filepath.Join(dir, "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
}

func TestReadAtMost(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(file, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int64{4, 5} {
		if got, err := ReadAtMost(file, limit); err != nil || string(got) != "text" {
			t.Errorf("at most %d: %q, %v", limit, got, err)
		}
	}
	if got, err := ReadAtMost(file, 3); !errors.Is(err, ErrTooLong) || !strings.Contains(err.Error(), file+": it has 4 bytes, too long: at most 3 are sensible") || got != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ReadAtMost(filepath.Dir(file), 3); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a folder: %v", err)
	}
}

// A file that has more bytes than it says, as one that grows, is read up to the limit.
func TestReadAtMostOfMore(t *testing.T) {
	const name = "/proc/self/status"
	if info, err := os.Stat(name); err != nil || info.Size() != 0 {
		t.Skip("no file says that it is shorter than it is here: ", err)
	}
	if got, err := ReadAtMost(name, 10); !errors.Is(err, ErrTooLong) || got != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ReadAtMost(name, 1<<20); len(got) == 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSocket(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", name)
	if err != nil {
		t.Skip("no sockets in folders here: ", err)
	}
	defer listener.Close()
	if _, err := Open(name); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a socket: %v", err)
	}
}

// A device is refused before it is opened.
func TestDevice(t *testing.T) {
	if _, err := os.Stat(os.DevNull); err != nil {
		t.Skip("no null device here: ", err)
	}
	if _, err := Open(os.DevNull); !errors.Is(err, ErrNotRegular) {
		t.Errorf("%s: %v", os.DevNull, err)
	}
}

func TestOpenFS(t *testing.T) {
	fsys := fstest.MapFS{"a": {Data: []byte("text")}, "pipe.jpg": {Mode: fs.ModeNamedPipe}, "d/x": {}}
	if file, err := OpenFS(fsys, "a"); err != nil {
		t.Error(err)
	} else {
		file.Close()
	}
	for name, want := range map[string]error{"pipe.jpg": ErrNotRegular, "d": ErrNotRegular, "gone": fs.ErrNotExist} {
		if _, err := OpenFS(fsys, name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func ExampleReadAtMost() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "config.json")
	if err := os.WriteFile(name, []byte("{}"), 0o666); err != nil {
		fmt.Println(err)
		return
	}
	text, err := ReadAtMost(name, 1<<20)
	fmt.Println(string(text), err)
	_, err = ReadAtMost(name, 1)
	fmt.Println(errors.Is(err, ErrTooLong))
	// Output:
	// {} <nil>
	// true
}
