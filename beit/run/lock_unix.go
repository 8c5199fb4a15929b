//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package run

import (
	"os"
	"syscall"
)

// lock locks f until it is closed: exclusively when alone is set, otherwise shared.
func lock(f *os.File, alone bool) held {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	for {
		switch syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB) {
		case nil:
			return mine
		case syscall.EWOULDBLOCK:
			return other
		case syscall.EINTR:
			continue
		}
		return unknown
	}
}
