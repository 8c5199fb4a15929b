package tensor

import (
	"syscall"
	"unsafe"
)

// hugePage is the size of a page of the next level on the processors of the assembly, hugeFrom the least memory that has some whole ones for sure.
const (
	hugePage = 2 << 20
	hugeFrom = 2 * hugePage
)

// adviseHuge asks the system for huge pages for large memory that is not yet in use: with small pages, address translation takes longer
// than the arithmetic. It only asks for whole pages within the memory. Where the system has no huge pages, or uses them by itself,
// nothing changes.
func adviseHuge(words []float32) {
	if 4*len(words) < hugeFrom {
		return
	}
	start := uintptr(unsafe.Pointer(unsafe.SliceData(words)))
	from, to := (start+hugePage-1)&^(hugePage-1), (start+4*uintptr(len(words)))&^(hugePage-1)
	syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_HUGEPAGE)
}
