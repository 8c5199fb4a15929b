package tensor

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/gobeit/gobeit/tensor/internal/hostmem"
)

// cpuBuffer is the memory of a storage: whole 4-byte words, the first on a 64-byte boundary.
type cpuBuffer struct{ words []float32 }

const (
	cacheLine   = 64
	maxCPUBytes = min(math.MaxInt/2, 1<<46) // more than any machine has, and less than what makes make panic
)

// Alloc takes zeroed memory from the Go heap, which takes it back when it is no longer reachable. It fails when the machine has too little.
func (c *cpuBackend) Alloc(bytes int) (Buffer, error) {
	if bytes < 0 || bytes > maxCPUBytes {
		return nil, fmt.Errorf("%d bytes are beyond the address space", bytes)
	}
	if err := reserve(int64(bytes)); err != nil {
		return nil, err
	}
	n := (bytes + 3) / 4
	words := make([]float32, n+cacheLine/4)
	adviseHuge(words)
	skip := (cacheLine - int(uintptr(unsafe.Pointer(&words[0]))%cacheLine)) % cacheLine / 4
	return &cpuBuffer{words[skip : skip+n : skip+n]}, nil
}

// Free does nothing. The garbage collector frees memory without references, and a kernel may still be reading b.
func (c *cpuBackend) Free(Buffer) {}

// Available is what the machine has for this process.
func (c *cpuBackend) Available() (int64, bool) { return hostmem.Available() }

// Poison fills b with NaN.
func (c *cpuBackend) Poison(b Buffer) { fill(b.(*cpuBuffer).words, float32(math.NaN())) }

// f32s is the memory of a Float32 or Int32 tensor from its first element to the end of its storage.
func f32s(t *Tensor) []float32 { return t.Buffer().(*cpuBuffer).words[t.offset:] }

// f32 holds the elements of a contiguous Float32 tensor.
func f32(t *Tensor) []float32 { return f32s(t)[:t.Size():t.Size()] }

// u16s is the memory of a BFloat16 tensor from its first element to the end of its storage.
func u16s(t *Tensor) []uint16 {
	words := t.Buffer().(*cpuBuffer).words
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(words))), 2*len(words))[t.offset:]
}

// u16 holds the elements of a contiguous BFloat16 tensor.
func u16(t *Tensor) []uint16 { return u16s(t)[:t.Size():t.Size()] }

// i32s is f32s as integers.
func i32s(t *Tensor) []int32 {
	words := f32s(t)
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(words))), len(words))
}

// i32 holds the elements of a contiguous Int32 tensor.
func i32(t *Tensor) []int32 { return i32s(t)[:t.Size():t.Size()] }

// scratch takes n floats of undefined content from the pool of t's device. Release the tensor after use.
func scratch(t *Tensor, n int) (*Tensor, []float32) {
	s := newTensor(t.st.dev, "scratch", Float32, n)
	return s, f32(s)
}

// Upload copies data to dst.
func (c *cpuBackend) Upload(dst *Tensor, src []float32) { copy(f32(dst), src) }

// UploadInts copies data to dst.
func (c *cpuBackend) UploadInts(dst *Tensor, src []int32) { copy(i32(dst), src) }

// Prefetch does nothing: the host reads the memory itself.
func (c *cpuBackend) Prefetch([]*Tensor) {}

// Download copies src out.
func (c *cpuBackend) Download(dst []float32, src *Tensor) error {
	copy(dst, f32(src))
	return nil
}

// DownloadInts copies src out.
func (c *cpuBackend) DownloadInts(dst []int32, src *Tensor) error {
	copy(dst, i32(src))
	return nil
}
