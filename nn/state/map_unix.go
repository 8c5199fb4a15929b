//go:build linux || darwin || freebsd

package state

import (
	"os"
	"syscall"
)

// mapFile maps a file that was opened for reading; where that fails, it is read
// in the ordinary way.
func mapFile(f *os.File, size int64) mapping {
	if size == 0 || int64(int(size)) != size {
		return nil
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return b
}

func (m *mapping) unmap() error {
	if *m == nil {
		return nil
	}
	b := *m
	*m = nil
	return syscall.Munmap(b)
}
