//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import "github.com/gobeit/gobeit/tensor"

var (
	_ tensor.Backend = (*backend)(nil)
	_ tensor.Ops     = (*backend)(nil)
)

// Begin starts an operation, unless the device has failed. Operations are recorded one after the other, never interleaved. So scratch
// memory belongs to one operation from Begin to End, even when its work is submitted in between. And errors can name the operation.
func (b *backend) Begin(op string, p tensor.Precision) tensor.Ops {
	b.selectVariant(p) // runs operations of its own, so it comes before the lock
	b.whole.Lock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		b.whole.Unlock()
		return nil
	}
	b.op = op
	return b
}

// End releases the scratch memory of the operation. A later operation that uses it again waits for the work recorded before. End panics with a
// *tensor.Error if the driver refused a shader of the operation, or has no room for its heads: its result is undefined then, and the device is as
// good as before.
func (b *backend) End() {
	b.release(0)
	b.mu.Lock()
	op, refused := b.op, b.refused
	b.op, b.refused, b.work = "", nil, 0
	b.mu.Unlock()
	b.whole.Unlock()
	if refused != nil {
		panic(&tensor.Error{Op: op, Reason: refused.Error(), Err: refused})
	}
}
