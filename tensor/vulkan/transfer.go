//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"runtime"
	"sync"
	"unsafe"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/mem"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// staging is memory that host and device both see, for tensors that the host does not see itself, or that the device is still at work on.
// Uploads through it are copies in the order of the operations, so they never wait for earlier work.
type staging struct {
	halves [2]half
	at     int        // the half in use
	down   *buffer    // for what comes down, and behind it for the fault words
	taken  sync.Mutex // held by a download through down; taken before the backend's mu
}

// half is one half of the memory for what goes up; one fills up while the other may still be read.
type half struct {
	memory *buffer
	used   int64
}

// stageBytes is the size of each part; faultBytes more are for fault words.
const (
	stageBytes = 8 << 20
	faultBytes = 256
)

// Blocks that only the host allocates in.
const (
	blockUp   = -1
	blockDown = -2
)

func (s *staging) open(b *backend) error {
	for k := range s.halves {
		s.halves[k].memory = &buffer{Region: mem.Region{Block: blockUp, Offset: int64(k) * stageBytes, Size: stageBytes}}
	}
	s.down = &buffer{Region: mem.Region{Block: blockDown, Size: stageBytes + faultBytes}}
	if err := b.grow(blockUp, 2*stageBytes, b.uploadType); err != nil {
		return err
	}
	b.mail.open()
	return b.grow(blockDown, s.down.Size+mailBytes, b.downloadType)
}

// copyBytes records a copy between buffers.
func (b *backend) copyBytes(name string, dst *buffer, to int64, src *buffer, from, n int64) {
	if b.err != nil {
		return
	}
	dst.last, src.last = b.batch.submitted+1, b.batch.submitted+1
	b.push(name, b.copyOp(dst, to, src, from, n), perElement*float64(n)/4, access(src, from, from+n, false), access(dst, to, to+n, true))
}

func (b *backend) copyOp(dst *buffer, to int64, src *buffer, from, n int64) vk.Op {
	return vk.Op{
		Kind: vk.Copy, Src: b.handleOf(src.Block), Dst: b.handleOf(dst.Block),
		From: uint64(src.Offset + from), To: uint64(dst.Offset + to), Size: uint64(n),
	}
}

// send copies host memory to a contiguous tensor.
func (b *backend) send(dst *tensor.Tensor, src []byte) {
	defer runtime.KeepAlive(dst) // its memory must not be freed meanwhile
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil || len(src) == 0 {
		return
	}
	a, at := dst.Buffer().(*buffer), int64(dst.Offset()*dst.DType().Size())
	if to := b.blocks[a.Block].mapped; to != nil {
		if b.poll(); b.err == nil && a.last <= b.batch.completed {
			b.withdraw(a)
			copy(to[a.Offset+at:], src)
			return
		}
	}
	for len(src) > 0 && b.err == nil {
		h := b.room()
		n := min(int64(len(src)), stageBytes-h.used)
		copy(b.blocks[blockUp].mapped[h.memory.Offset+h.used:], src[:n])
		used := h.used
		h.used = min((used+n+15)&^15, stageBytes)
		b.copyBytes("Upload", a, at, h.memory, used, n)
		src, at = src[n:], at+n
	}
}

// room is a half of the staging memory with room in it.
func (b *backend) room() *half {
	s := &b.stage
	for {
		h := &s.halves[s.at]
		if h.used < stageBytes || b.err != nil {
			return h
		}
		s.at = 1 - s.at
		if h = &s.halves[s.at]; h.used > 0 {
			if h.memory.last > b.batch.submitted {
				b.flush()
			}
			if _ = b.await(context.Background(), min(h.memory.last, b.batch.submitted)); h.memory.last <= b.batch.completed {
				h.used = 0
			}
		}
	}
}

// receive copies a contiguous tensor to host memory, after the work that writes it.
func (b *backend) receive(dst []byte, src *tensor.Tensor) error {
	if len(dst) == 0 {
		return nil
	}
	defer runtime.KeepAlive(src)
	s := &b.stage
	s.taken.Lock()
	defer s.taken.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	a, at := src.Buffer().(*buffer), int64(src.Offset()*src.DType().Size())
	if b.delivered(dst, a, at) {
		return b.err
	}
	if from := b.blocks[a.Block]; from.mapped != nil && from.cached {
		if b.settle(context.Background(), a) == nil {
			copy(dst, from.mapped[a.Offset+at:])
		}
		return b.err
	}
	for len(dst) > 0 && b.err == nil {
		n := min(int64(len(dst)), stageBytes)
		b.copyBytes("Download", s.down, 0, a, at, n)
		if b.settle(context.Background(), s.down) == nil {
			copy(dst[:n], b.blocks[blockDown].mapped)
		}
		dst, at = dst[n:], at+n
	}
	return b.err
}

// bytesOf is the memory of s.
func bytesOf[T float32 | int32](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 4*len(s))
}

// Upload copies src to dst.
func (b *backend) Upload(dst *tensor.Tensor, src []float32) { b.send(dst, bytesOf(src)) }

// UploadInts copies src to dst.
func (b *backend) UploadInts(dst *tensor.Tensor, src []int32) { b.send(dst, bytesOf(src)) }

// Download waits for src and copies it.
func (b *backend) Download(dst []float32, src *tensor.Tensor) error {
	return b.receive(bytesOf(dst), src)
}

// DownloadInts is Download for Int32.
func (b *backend) DownloadInts(dst []int32, src *tensor.Tensor) error {
	return b.receive(bytesOf(dst), src)
}
