package regular

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

// InUse reports whether err says that a file is in use: Windows keeps what is open from being replaced or removed, and what is being replaced from
// being opened.
func InUse(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
}

// DiskFull reports whether err says that a disk has no room.
func DiskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// patiently repeats f for two seconds while a file is in use: who watches a run opens its files for a moment.
func patiently(f func() error) error {
	const tries, pause = 100, 20 * time.Millisecond
	err := f()
	for try := 1; try < tries && InUse(err); try++ {
		time.Sleep(pause)
		err = f()
	}
	return err
}
