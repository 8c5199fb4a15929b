//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"encoding/binary"
	"fmt"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/shim"
)

// A shader that meets an index outside its table touches nothing there and sets the fault word: its code, of include/faults.glsl, which
// the largest of several wins. The next Sync turns it into the device's sticky error.
const (
	faultScatter   = 3
	faultCodeStats = 4
)

var faultOps = []string{1: "CrossEntropy", 2: "GatherRows", faultScatter: "ScatterAddRows", faultCodeStats: "CodeStats"}

// openFaults takes and clears the fault words.
func (b *backend) openFaults() error {
	a, err := b.alloc(faultBytes)
	if err != nil {
		return err
	}
	b.faults = a
	b.checked = true
	b.clearFaults()
	return nil
}

func (b *backend) clearFaults() {
	b.push("Fill", shim.Op{Kind: shim.Fill, Dst: b.handleOf(b.faults.Block), To: uint64(b.faults.Offset), Size: faultBytes, Words: 1},
		0, access(b.faults, 0, faultBytes, true))
}

// fault is the argument of shaders that check indices.
func (b *backend) fault() arg { return arg{a: b.faults, n: faultBytes / 4, bytes: 4, writes: true} }

// checkFaults looks at the fault words if an operation that sets them ran since the last look.
func (b *backend) checkFaults() {
	if b.checked {
		return
	}
	b.checked = true
	b.copyBytes("Download", b.stage.down, stageBytes, b.faults, 0, faultBytes)
	b.flush()
	b.batch.wait(b)
	if b.err != nil {
		return
	}
	if code := binary.NativeEndian.Uint32(b.blocks[b.stage.down.Block].mapped[stageBytes:]); code != 0 {
		b.fail(&Error{Op: faultOps[code], Err: ErrBadIndex})
	}
}

// tooLarge says why an operation cannot run.
func tooLarge(size, limit int64) string {
	return fmt.Sprintf("it needs %d MiB of one tensor in sight, the driver allows %d: lower the batch", size>>20, limit>>20)
}

// testHook, if set, is called before calls that may fail, and its result stands for the call's: tests make devices fail with it.
var testHook func(b *backend, call string) int

func (b *backend) hook(call string) int {
	if testHook == nil {
		return 0
	}
	return testHook(b, call)
}
