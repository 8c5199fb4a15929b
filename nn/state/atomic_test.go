package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contents returns the files of dir and what is in them.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name()] = string(b)
	}
	return out
}

func writeText(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestWriteFileAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	for _, text := range []string{"first", strings.Repeat("second", 100_000), ""} {
		if err := WriteFileAtomic(path, writeText(text)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"a.txt": text}, contents(t, dir)); diff != "" {
			t.Error(diff)
		}
	}
}

// The new file has the mode of any file that the user creates.
func TestWriteFileAtomicMode(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := WriteFileAtomic(filepath.Join(dir, "atomic"), writeText("x")); err != nil {
		t.Fatal(err)
	}
	var modes []fs.FileMode
	for _, name := range []string{"plain", "atomic"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		modes = append(modes, info.Mode())
	}
	if modes[0] != modes[1] {
		t.Errorf("mode %v, a plain file has %v", modes[1], modes[0])
	}
}

func TestWriteFileAtomicFailures(t *testing.T) {
	tests := []struct {
		name  string
		write func(w io.Writer) error
		cause error
	}{
		{"at once", func(io.Writer) error { return syscall.ENOSPC }, syscall.ENOSPC},
		{"late", func(w io.Writer) error {
			if err := writeText(strings.Repeat("x", 1<<20))(w); err != nil {
				return err
			}
			return errors.Join(errors.New("tensor 7"), syscall.ENOSPC)
		}, syscall.ENOSPC},
		{"source ends", func(w io.Writer) error { return io.ErrUnexpectedEOF }, io.ErrUnexpectedEOF},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a.txt")
			if err := WriteFileAtomic(path, writeText("old")); err != nil {
				t.Fatal(err)
			}
			err := WriteFileAtomic(path, tc.write)
			if !errors.Is(err, tc.cause) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(map[string]string{"a.txt": "old"}, contents(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWriteFileAtomicPanic(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = WriteFileAtomic(filepath.Join(dir, "a"), func(io.Writer) error { panic("boom") })
	}()
	if diff := cmp.Diff(map[string]string{}, contents(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestWriteFileAtomicBadPlace(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "none", "a.txt")
	called := false
	err := WriteFileAtomic(missing, func(io.Writer) error { called = true; return nil })
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) || strings.Contains(err.Error(), tempPrefix) || called {
		t.Error(err, called)
	}
	// A folder stands where the file should go: that is said before the work.
	taken := filepath.Join(dir, "taken")
	if err := os.Mkdir(taken, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := WriteFileAtomic(taken, func(io.Writer) error { called = true; return nil }); !errors.Is(err, syscall.EISDIR) || !strings.Contains(err.Error(), taken) || called {
		t.Error(err, called)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Error(files, err)
	}
}

// An error of the file itself, met while the buffer is flushed.
func TestWriteFileAtomicFileLimit(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the shell's ulimit -f and its signal as on Linux")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	cmd := exec.Command("/bin/sh", "-c", `ulimit -f 64; exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), "STATE_TEST_CHILD=large", "STATE_TEST_PATH="+path)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("state: writing "+path+": file too large")) {
		t.Fatalf("%v\n%s", err, out)
	}
	if diff := cmp.Diff(map[string]string{}, contents(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// A process that dies half way leaves the old file and a temporary that
// CleanTemp recognises.
func TestCrashAndCleanTemp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	if err := WriteFileAtomic(path, writeText("old")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STATE_TEST_CHILD=die", "STATE_TEST_PATH="+path)
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 42 {
		t.Fatalf("%v\n%s", err, out)
	}
	left := contents(t, dir)
	if left["a.txt"] != "old" || len(left) != 2 {
		t.Fatalf("after the crash: %v files, a.txt %q", len(left), left["a.txt"])
	}
	// Only whole names with the prefix go, and never a folder.
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sub", ".tmp-kept"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := CleanTemp(dir); err != nil {
		t.Fatal(err)
	}
	var names []string
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.Base(p))
		}
		return err
	})
	if diff := cmp.Diff([]string{"a.txt", ".tmp-kept"}, names); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if err := CleanTemp(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
	if err := CleanTemp(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("CleanTemp of a file: %v", err)
	}
}

// TestMain lets the test binary stand in for a process that dies or runs into a
// limit.
func TestMain(m *testing.M) {
	path := os.Getenv("STATE_TEST_PATH")
	switch os.Getenv("STATE_TEST_CHILD") {
	case "die":
		_ = WriteFileAtomic(path, func(w io.Writer) error {
			_ = writeText(strings.Repeat("new", 1<<20))(w)
			os.Exit(42)
			return nil
		})
	case "large":
		fmt.Println(WriteFileAtomic(path, writeText(strings.Repeat("x", 128<<10))))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Files that belong together appear together, and a header can be filled in last.
func TestPending(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, path := range []string{a, b} {
		if err := WriteFileAtomic(path, writeText("old")); err != nil {
			t.Fatal(err)
		}
	}
	write := func() (*Pending, *Pending) {
		t.Helper()
		var list []*Pending
		for _, path := range []string{a, b} {
			p, err := CreatePending(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(p, "?new "+filepath.Base(path)); err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
		}
		return list[0], list[1]
	}
	p, q := write()
	p.Discard()
	q.Discard()
	if diff := cmp.Diff(map[string]string{"a": "old", "b": "old"}, contents(t, dir)); diff != "" {
		t.Errorf("after Discard:\n%s", diff)
	}
	p, q = write()
	q.temp.Close() // the second cannot be finished: the first must not take its place
	if err := Commit(p, q); err == nil || !strings.Contains(err.Error(), b) || strings.Contains(err.Error(), tempPrefix) {
		t.Errorf("error %v", err)
	}
	p.Discard()
	q.Discard()
	if diff := cmp.Diff(map[string]string{"a": "old", "b": "old"}, contents(t, dir)); diff != "" {
		t.Errorf("after a failed Commit:\n%s", diff)
	}
	p, q = write()
	if err := p.Overwrite([]byte("!"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p, " end"); err != nil {
		t.Fatal(err)
	}
	if err := Commit(p, q); err != nil {
		t.Fatal(err)
	}
	p.Discard()
	q.Discard()
	if diff := cmp.Diff(map[string]string{"a": "!new a end", "b": "?new b"}, contents(t, dir)); diff != "" {
		t.Errorf("after Commit:\n%s", diff)
	}
	r, err := CreatePending(a)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Discard()
	defer func() {
		if recover() == nil {
			t.Error("bytes beyond the end were overwritten")
		}
	}()
	_ = r.Overwrite([]byte("x"), 0)
}
