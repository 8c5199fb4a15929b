//go:build linux || darwin || freebsd

package train

import (
	"errors"
	"os"
	"syscall"
)

// lock locks f until it is closed and says whether nobody else has. Where the file system knows no locks, nobody has.
func lock(f *os.File) bool {
	return !errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
