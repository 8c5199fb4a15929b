//go:build !windows

package regular

import (
	"errors"
	"syscall"
)

// InUse reports whether err says that a file is in use: Windows keeps what is open from being replaced or removed, and what is being replaced from
// being opened.
func InUse(error) bool { return false }

// DiskFull reports whether err says that a disk has no room.
func DiskFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

func patiently(f func() error) error { return f() }
