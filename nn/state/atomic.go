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

	"github.com/gobeit/gobeit/nn/state/regular"
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
	p, err := CreatePending(path)
	if err != nil {
		return err
	}
	defer p.Discard() // also when write panics
	if err := write(p.buf); err != nil {
		return p.fail(err)
	}
	return Commit(p)
}

// Pending is a file that replaces the one at its path only when it is complete.
// It serves where WriteFileAtomic does not: for several files that are replaced
// together, or a header that is known last. It belongs to one goroutine.
type Pending struct {
	path string
	temp *os.File
	buf  *bufio.Writer
	size int64
}

// CreatePending starts a file that will stand at path after Commit. Call Discard
// when done, whatever happened. A folder at path is an error now rather than
// after the work.
func CreatePending(path string) (*Pending, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, writeError(path, "", syscall.EISDIR)
	}
	temp, err := createTemp(filepath.Dir(path))
	if err != nil {
		return nil, writeError(path, "", err)
	}
	return &Pending{path: path, temp: temp, buf: bufio.NewWriterSize(temp, 256<<10)}, nil
}

// Write appends b.
func (p *Pending) Write(b []byte) (int, error) {
	n, err := p.buf.Write(b)
	p.size += int64(n)
	if err != nil {
		err = p.fail(err)
	}
	return n, err
}

// Overwrite replaces bytes that were written before, from offset on. It panics
// when these are not bytes of the file so far.
func (p *Pending) Overwrite(b []byte, offset int64) error {
	if offset < 0 || offset+int64(len(b)) > p.size {
		panic(fmt.Sprintf("state: Overwrite: bytes %d to %d of a file of %d", offset, offset+int64(len(b)), p.size))
	}
	if err := p.buf.Flush(); err != nil {
		return p.fail(err)
	}
	if _, err := p.temp.WriteAt(b, offset); err != nil {
		return p.fail(err)
	}
	return nil
}

// Commit puts files in their places once every one of them is on the disk. When
// it fails before that, no place has changed.
func Commit(files ...*Pending) error {
	for _, p := range files {
		if err := p.finish(); err != nil {
			return p.fail(err)
		}
	}
	for _, p := range files {
		if err := regular.Rename(p.temp.Name(), p.path); err != nil {
			return p.fail(err)
		}
	}
	for _, p := range files {
		if err := syncDir(filepath.Dir(p.path)); err != nil {
			return p.fail(err)
		}
	}
	return nil
}

// Replace puts the file at temp, which is whole, in the place of the one at
// path, durably. Both lie on one disk.
func Replace(path, temp string) error {
	f, err := os.OpenFile(temp, os.O_RDWR, 0)
	if err != nil {
		return writeError(path, temp, err)
	}
	err = f.Sync()
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = regular.Rename(temp, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return writeError(path, temp, err)
	}
	return nil
}

// finish brings everything to the disk.
func (p *Pending) finish() error {
	if err := p.buf.Flush(); err != nil {
		return err
	}
	if err := p.temp.Sync(); err != nil {
		return err
	}
	return p.temp.Close()
}

// Discard removes what was not committed. After Commit it does nothing.
func (p *Pending) Discard() {
	p.temp.Close()
	os.Remove(p.temp.Name())
}

func (p *Pending) fail(err error) error { return writeError(p.path, p.temp.Name(), err) }

// CleanTemp removes the temporary files that a crash during WriteFileAtomic
// left in dir. Nobody may be writing there. A folder that does not exist is
// clean.
func CleanTemp(dir string) error {
	files, err := regular.ReadDir(dir)
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
		if err := regular.Remove(filepath.Join(dir, f.Name())); err != nil {
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
