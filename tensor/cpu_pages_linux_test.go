package tensor

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

// TestHugePages asks the system which wishes it has noted for the memory of a tensor.
func TestHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage/enabled"); err != nil {
		t.Skip("this system has no huge pages to offer:", err)
	}
	for _, n := range []int{hugeFrom / 4, 10 << 20} {
		x := New(CPU(), n)
		if flags := memoryFlags(t, uint64(uintptr(unsafe.Pointer(&f32s(x)[n/2])))); !strings.Contains(flags, " hg") {
			t.Errorf("%d numbers: flags %q", n, flags)
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
