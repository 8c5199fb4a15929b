package run

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock locks f until it is closed: exclusively when alone is set, otherwise shared.
func lock(f *os.File, alone bool) held {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if alone {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
	switch {
	case err == nil:
		return mine
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return other
	}
	return unknown
}
