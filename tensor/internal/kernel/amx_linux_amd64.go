//go:build !purego

package kernel

import "syscall"

// permitTiles asks Linux to let this process use tile registers, which make the state of a thread so much larger that the system wants to be asked first.
// It refuses on kernels before 5.16, and where the signal stack of some thread is too small for that state; those of Go are not.
func permitTiles() bool {
	const (
		requestPermission = 0x1023 // ARCH_REQ_XCOMP_PERM
		tileData          = 18     // its bit in extended control register 0
	)
	_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
}
