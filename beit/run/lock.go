package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/nn/state/regular"
)

// Lock is the claim of a run on its folder.
type Lock struct{ file *os.File }

// Close gives the folder up.
func (l *Lock) Close() error { return l.file.Close() }

// BusyError says that a run is under way in a folder.
type BusyError struct {
	Dir  string
	Host string // of the other process; empty when not known
	PID  int    // 0 when not known
}

func (e *BusyError) Error() string {
	who := ""
	if e.PID != 0 && e.Host != "" {
		who = fmt.Sprintf(" (process %d on %s)", e.PID, e.Host)
	}
	return fmt.Sprintf("a run is under way in %s%s: wait until it ends or choose another folder", e.Dir, who)
}

// held is what a try to lock a file found out.
type held int

const (
	mine    held = iota // nobody else had it, and now it is locked
	other               // another process or Lock has it
	unknown             // the system or the file system has no locks
)

// Claim keeps other runs out of the folder dir until the lock is closed. It creates dir if needed. The lock ends with its process, and the
// file .lock stays; who removes it does so before closing the lock. The error is a *BusyError when a run is under way. On a file system without locks
// Claim always succeeds.
func Claim(dir string) (*Lock, error) {
	// ReadStatus has the lock for a moment too.
	const tries, pause = 10, 20 * time.Millisecond
	for range tries {
		f, err := tryLock(dir)
		if err != nil {
			return nil, fmt.Errorf("run folder: %w", err)
		}
		if f != nil {
			return &Lock{f}, nil
		}
		time.Sleep(pause)
	}
	busy := &BusyError{Dir: dir}
	if s, err := readStatus(dir); err == nil && s.State == StateRunning {
		busy.Host, busy.PID = s.Host, s.PID
	}
	return nil, busy
}

// tryLock locks the file of dir, which it makes if needed. It returns nil where another process has it, or removed it, or its folder, meanwhile.
func tryLock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, LockFile), os.O_RDWR|os.O_CREATE, 0o666)
	if errors.Is(err, fs.ErrNotExist) { // the folder was removed
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if got := lock(f, true); got == other || got == mine && !stands(f) {
		f.Close()
		return nil, nil
	}
	return f, nil
}

// stands says whether an open file is the one that is at its path now.
func stands(f *os.File) bool {
	was, err := f.Stat()
	if err != nil {
		return false
	}
	is, err := os.Stat(f.Name())
	return err == nil && os.SameFile(was, is)
}

// probe tries the lock of dir without keeping it.
func probe(dir string) (held, error) {
	f, err := regular.Open(filepath.Join(dir, LockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return mine, nil
	}
	if err != nil {
		return unknown, err
	}
	defer f.Close()
	return lock(f, false), nil
}
