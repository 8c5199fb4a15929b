package data

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// readPauses are the times to wait before a file is read again after an error of a moment.
var readPauses = []time.Duration{50 * time.Millisecond, 250 * time.Millisecond, time.Second}

// momentary lists the errors of file systems, of those on a network above all, that another try may be spared.
var momentary = []error{
	syscall.EIO, syscall.EINTR, syscall.EAGAIN, syscall.EBUSY, syscall.ESTALE, syscall.ETIMEDOUT, syscall.ECONNRESET, syscall.ENOTCONN,
	syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EMFILE, syscall.ENFILE, os.ErrDeadlineExceeded,
}

// gaveUp is when, in nanoseconds, tries were last in vain. Where a disk is gone, not every file is waited for.
var gaveUp atomic.Int64

// impatience is how long nothing is waited for after tries were in vain.
const impatience = 30 * time.Second

// retried is f, called again after pauses as long as it fails with an error of a moment.
func retried[T any](f func() (T, error)) (T, error) {
	result, err := f()
	for _, pause := range readPauses {
		if !isMomentary(err) {
			return result, err
		}
		if time.Since(time.Unix(0, gaveUp.Load())) > impatience {
			time.Sleep(pause)
		}
		result, err = f()
	}
	if isMomentary(err) {
		gaveUp.Store(time.Now().UnixNano())
	}
	return result, err
}

func isMomentary(err error) bool {
	return err != nil && slices.ContainsFunc(momentary, func(m error) bool { return errors.Is(err, m) })
}

// stat describes a file or folder, and what a link leads to.
func stat(fsys fs.FS, name string) (fs.FileInfo, error) {
	return retried(func() (fs.FileInfo, error) { return fs.Stat(fsys, name) })
}

// statPath is stat for a path of the operating system.
func statPath(name string) (fs.FileInfo, error) {
	return retried(func() (fs.FileInfo, error) { return os.Stat(name) })
}

// readDir lists a folder in order of name.
func readDir(fsys fs.FS, name string) ([]fs.DirEntry, error) {
	return retried(func() ([]fs.DirEntry, error) { return fs.ReadDir(fsys, name) })
}

// readIfThere reads a file that need not be there. The result is zero where there is none, or what is no regular file.
func readIfThere[T any](fsys fs.FS, name string, read func(io.Reader) (T, error)) (T, error) {
	result, err := retried(func() (none T, err error) {
		file, err := openRegular(fsys, name)
		if err != nil {
			return none, err
		}
		defer file.Close()
		return read(file)
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) {
		return result, nil
	}
	return result, err
}
