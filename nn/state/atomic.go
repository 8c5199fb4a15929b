package state

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// tempPrefix starts the name of every file that is not whole yet.
const tempPrefix = ".tmp-"

// WriteFileAtomic replaces the file at path by what write writes, so that a
// crash at any moment leaves either the old file or the whole new one.
//
// The bytes go to a temporary file in the same folder, which is flushed to the
// disk and then renamed over path; the rename is made durable too. When
// anything fails before the rename, the temporary is removed and the old file is
// untouched. Errors name path and keep their cause. Writes are buffered.
func WriteFileAtomic(path string, write func(w io.Writer) error) error {
	dir := filepath.Dir(path)
	temp, err := createTemp(dir)
	if err != nil {
		return writeError(path, "", err)
	}
	// Also runs when write panics; after the rename there is nothing to remove.
	defer os.Remove(temp.Name())
	defer temp.Close()

	buf := bufio.NewWriterSize(temp, 256<<10)
	if err := write(buf); err != nil {
		return writeError(path, temp.Name(), err)
	}
	if err := buf.Flush(); err != nil {
		return writeError(path, temp.Name(), err)
	}
	if err := temp.Sync(); err != nil {
		return writeError(path, temp.Name(), err)
	}
	if err := temp.Close(); err != nil {
		return writeError(path, temp.Name(), err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return writeError(path, temp.Name(), err)
	}
	if err := syncDir(dir); err != nil {
		return writeError(path, "", err)
	}
	return nil
}

// CleanTemp removes the temporary files that a crash during WriteFileAtomic
// left in dir. Nobody may be writing there. A folder that does not exist is
// clean.
func CleanTemp(dir string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	for _, f := range files {
		if !f.Type().IsRegular() || !strings.HasPrefix(f.Name(), tempPrefix) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	return nil
}

// createTemp is os.CreateTemp with the mode that a plain new file would get:
// the result is meant to be read by others.
func createTemp(dir string) (*os.File, error) {
	for {
		name := filepath.Join(dir, fmt.Sprintf("%s%016x", tempPrefix, rand.Uint64()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// syncDir makes a rename in dir durable. Windows cannot flush a folder, and some
// file systems decline to; there the rename itself is all one can have.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}

// writeError names path; the name of the temporary would only confuse.
func writeError(path, temp string, err error) error {
	if pe, ok := err.(*fs.PathError); ok && (pe.Path == temp || temp == "") {
		err = pe.Err
	}
	return fmt.Errorf("state: writing %s: %w", path, err)
}
