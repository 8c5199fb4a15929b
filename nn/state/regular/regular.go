// Package regular opens files that a user or a folder names, if they are regular files. Opening a named pipe would wait for a writer, perhaps for
// ever, and reading a device may never end. The package hides where Windows differs, which keeps open files from being replaced and removed.
//
//	file, err := regular.Open(path)
//	if err != nil {
//		return err // "open x.jpg: a named pipe, not a regular file"
//	}
//	defer file.Close()
//
// Names need not be UTF-8, except those of OpenFS. Errors are of type *fs.PathError, as those of package os. The functions may be called by any number of
// goroutines.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrNotRegular is wrapped by the errors for what is no regular file.
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLong is wrapped by the errors of ReadAtMost for longer files.
var ErrTooLong = errors.New("too long")

// Open opens the file at path for reading. It waits two seconds at most for a file that is in use.
func Open(path string) (*os.File, error) {
	var file *os.File
	err := patiently(func() (err error) {
		if err = check(os.Stat(path)); err == nil {
			file, err = os.Open(path)
		}
		return err
	})
	if err != nil {
		return nil, named(path, err)
	}
	return file, nil
}

// OpenFS opens a file of a file system for reading.
func OpenFS(fsys fs.FS, name string) (fs.File, error) {
	if err := check(fs.Stat(fsys, name)); err != nil {
		return nil, named(name, err)
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, named(name, err)
	}
	return file, nil
}

// ReadFile returns the content of the file at path.
func ReadFile(path string) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, named(path, err)
	}
	return content, nil
}

// ReadAtMost is ReadFile for a file of at most limit bytes. A longer one is an error that wraps ErrTooLong, also where it grows while it is read.
func ReadAtMost(path string, limit int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, named(path, err)
	}
	if info.Size() > limit {
		return nil, named(path, fmt.Errorf("it has %d bytes, %w: at most %d are sensible", info.Size(), ErrTooLong, limit))
	}
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("it grows while it is read, %w: at most %d bytes are sensible", ErrTooLong, limit)
	}
	if err != nil {
		return nil, named(path, err)
	}
	return content, nil
}

// Rename is os.Rename for a file. It waits two seconds at most for a file that is in use.
func Rename(from, to string) error {
	return patiently(func() error { return os.Rename(from, to) })
}

// Remove is os.Remove for a file. It waits two seconds at most for a file that is in use.
func Remove(path string) error {
	return patiently(func() error { return os.Remove(path) })
}

// ReadDir is os.ReadDir, but the error for what is no folder never is fs.ErrNotExist, as it is on Windows.
func ReadDir(path string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		if info, there := os.Stat(path); there == nil && !info.IsDir() {
			return nil, &fs.PathError{Op: "readdir", Path: path, Err: errors.New("not a folder")}
		}
	}
	return entries, err
}

// check refuses what is no regular file.
func check(info fs.FileInfo, err error) error {
	if err != nil || info.Mode().IsRegular() {
		return err
	}
	return fmt.Errorf("%s, %w", kind(info.Mode()), ErrNotRegular)
}

// kind says what a file that is not regular is.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// named is an error about a file, which is named once.
func named(path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		return &fs.PathError{Op: inner.Op, Path: path, Err: inner.Err}
	}
	return &fs.PathError{Op: "open", Path: path, Err: err}
}
