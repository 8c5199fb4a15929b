//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"encoding/binary"
	"fmt"
)

// A shader that meets an index outside its table touches nothing there and sets the fault word: its code, of include/faults.glsl, which
// the largest of several wins. The next Sync or download turns it into the device's sticky error.
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
	b.fill("Fill", a, 0)
	return nil
}

// fault is the argument of shaders that check indices. They only ever raise a word, in any order, so they need not wait for each other.
func (b *backend) fault() arg { return arg{a: b.faults, n: faultBytes / 4, bytes: 4} }

// settle waits for the work on a buffer, and with it for the fault words as they are by then.
func (b *backend) settle(ctx context.Context, a *buffer) error {
	number, checks := a.last, b.checks
	if b.checked < checks {
		down := b.stage.down
		b.copyFaults(down, stageBytes)
		number = down.last
	}
	if number > b.batch.submitted {
		b.flush()
	}
	if err := b.await(ctx, min(number, b.batch.submitted)); err != nil {
		return err
	}
	if b.checked < checks {
		b.checked = checks
		b.lookAtFaults(b.blocks[blockDown].mapped[stageBytes:])
	}
	return b.err
}

// copyFaults records a copy of the fault words, after the shaders that set them, which do not wait for each other.
func (b *backend) copyFaults(to *buffer, at int64) {
	b.push("Download", b.copyOp(to, at, b.faults, 0, faultBytes), 0, access(b.faults, 0, faultBytes, true), access(to, at, at+faultBytes, true))
	to.last = b.batch.latest()
}

// lookAtFaults fails the device if its fault words, of which these are a copy, say so.
func (b *backend) lookAtFaults(words []byte) {
	code := binary.NativeEndian.Uint32(words)
	if code == 0 {
		return
	}
	op := "an operation"
	if int(code) < len(faultOps) {
		op = faultOps[code]
	}
	b.fail(&Error{Op: op, Err: ErrBadIndex})
}

// tooLarge says why an operation cannot run.
func tooLarge(size, limit int64) string {
	return fmt.Sprintf("it needs %d MiB of one tensor in sight, the driver allows %d: lower the batch", size>>20, limit>>20)
}

// hook is called before calls that may fail; tests make a device fail with inject, whose result stands for the call's.
func (b *backend) hook(call string) int {
	if b.inject == nil {
		return 0
	}
	return b.inject(call)
}
