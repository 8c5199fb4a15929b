package regular

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

// InUse reports whether err says that a file could not be removed because it is open, which Windows forbids.
func InUse(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }

// DiskFull reports whether err says that a disk has no room.
func DiskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// patiently repeats f for two seconds while a file is in use: who watches a run opens its files for a moment. Windows says that access is denied where
// it is to replace an open file, or to open one that is being replaced.
func patiently(f func() error) error {
	const tries, pause = 100, 20 * time.Millisecond
	err := f()
	for try := 1; try < tries && (InUse(err) || errors.Is(err, windows.ERROR_ACCESS_DENIED)); try++ {
		time.Sleep(pause)
		err = f()
	}
	return err
}
