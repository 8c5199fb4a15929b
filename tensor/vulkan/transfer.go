//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"unsafe"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/mem"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/shim"
)

// staging is memory that host and device both see: one part for what goes up, one for what comes down. Uploads are copies in the order
// of the operations, so memory that earlier work still reads may be written.
type staging struct {
	up, down allocation
	used     int64 // of up, by copies that may not be done
}

// stageBytes is the size of either part; faultBytes more of the second are for fault words.
const (
	stageBytes = 16 << 20
	faultBytes = 256
)

func (s *staging) open(b *backend) error {
	s.up = allocation{mem.Region{Block: -1, Size: stageBytes}}
	s.down = allocation{mem.Region{Block: -2, Size: stageBytes + faultBytes}}
	if err := b.grow(s.up.Block, s.up.Size, b.uploadType); err != nil {
		return err
	}
	return b.grow(s.down.Block, s.down.Size, b.downloadType)
}

// copyBytes records a copy between allocations.
func (b *backend) copyBytes(name string, dst allocation, to int64, src allocation, from, n int64) {
	b.push(name, shim.Op{
		Kind: shim.Copy, Src: b.handleOf(src.Block), Dst: b.handleOf(dst.Block),
		From: uint64(src.Offset + from), To: uint64(dst.Offset + to), Size: uint64(n),
	}, float64(n)/4, access(src, from, from+n, false), access(dst, to, to+n, true))
}

// send copies host memory to a contiguous tensor.
func (b *backend) send(dst *tensor.Tensor, src []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, at := dst.Buffer().(allocation), int64(dst.Offset()*dst.DType().Size())
	s := &b.stage
	for len(src) > 0 && b.err == nil {
		if s.used == stageBytes {
			b.flush()
			b.batch.wait(b)
			s.used = 0
			continue
		}
		n := min(int64(len(src)), stageBytes-s.used)
		copy(b.blocks[s.up.Block].mapped[s.used:], src[:n])
		b.copyBytes("Upload", a, at, s.up, s.used, n)
		s.used = min((s.used+n+15)&^15, stageBytes)
		src, at = src[n:], at+n
	}
}

// receive copies a contiguous tensor to host memory, after the work that writes it.
func (b *backend) receive(dst []byte, src *tensor.Tensor) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, at := src.Buffer().(allocation), int64(src.Offset()*src.DType().Size())
	for len(dst) > 0 && b.err == nil {
		n := min(int64(len(dst)), stageBytes)
		b.copyBytes("Download", b.stage.down, 0, a, at, n)
		b.flush()
		b.batch.wait(b)
		if b.err == nil {
			copy(dst[:n], b.blocks[b.stage.down.Block].mapped)
		}
		dst, at = dst[n:], at+n
	}
}

// bytesOf is the memory of s.
func bytesOf[T float32 | int32](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 4*len(s))
}

// Upload copies src to dst.
func (b *backend) Upload(dst *tensor.Tensor, src []float32) { b.send(dst, bytesOf(src)) }

// UploadInts copies src to dst.
func (b *backend) UploadInts(dst *tensor.Tensor, src []int32) { b.send(dst, bytesOf(src)) }

// Download waits for src and copies it. After a fault of the device dst stays as it is.
func (b *backend) Download(dst []float32, src *tensor.Tensor) { b.receive(bytesOf(dst), src) }

// DownloadInts is Download for Int32.
func (b *backend) DownloadInts(dst []int32, src *tensor.Tensor) { b.receive(bytesOf(dst), src) }
