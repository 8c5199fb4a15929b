//go:build !windows

package regular

import (
	"errors"
	"syscall"
)

// InUse reports whether err says that a file could not be removed because it is open, which Windows forbids.
func InUse(error) bool { return false }

// DiskFull reports whether err says that a disk has no room.
func DiskFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

func patiently(f func() error) error { return f() }
