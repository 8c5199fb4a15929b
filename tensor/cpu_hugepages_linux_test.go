package tensor

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// TestHugePages asks the system which wishes it has noted for the memory of a tensor.
func TestHugePages(t *testing.T) {
	own, err := syscall.Mmap(-1, 0, 2*hugePage, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(own)
	huge := func(p unsafe.Pointer) bool { return strings.Contains(memoryFlags(t, uint64(uintptr(p))), " hg") }
	if err := syscall.Madvise(own, syscall.MADV_HUGEPAGE); err != nil || !huge(unsafe.Pointer(&own[0])) {
		t.Skip("this system, or its emulation, takes no wishes for huge pages:", err)
	}
	for _, n := range []int{hugeFrom / 4, 10 << 20} {
		x := New(CPU(), n)
		if !huge(unsafe.Pointer(&f32s(x)[n/2])) {
			t.Errorf("%d numbers: no huge pages were asked for", n)
		}
		x.Release()
	}
}

// memoryFlags are those of the mapping that holds an address; see proc_pid_smaps(5).
func memoryFlags(t *testing.T, address uint64) string {
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var from, to uint64
	for s := bufio.NewScanner(file); s.Scan(); {
		if _, err := fmt.Sscanf(s.Text(), "%x-%x ", &from, &to); err == nil {
			continue
		}
		if flags, ok := strings.CutPrefix(s.Text(), "VmFlags:"); ok && from <= address && address < to {
			return flags
		}
	}
	t.Fatalf("no mapping holds %x", address)
	return ""
}
