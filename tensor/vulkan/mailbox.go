//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"runtime"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/mem"
)

// mailbox is memory that the host reads, behind that of downloads. What Prefetch names is copied there in the order of the operations, and the fault
// words with it. So to read it later is to wait for the work before it, not for what was recorded since.
type mailbox struct {
	memory  *buffer
	letters []letter
	number  uint64 // of the submission with the copy of the fault words
	checks  int    // operations before that copy that may set them
}

// letter is a tensor in the mailbox.
type letter struct {
	of     *buffer
	from   int64  // where the tensor starts in its memory
	n      int64  // its bytes
	at     int64  // where it is in the mailbox
	number uint64 // of the submission that copies it
}

// mailBytes is the size of the mailbox; its first faultBytes are for fault words.
const mailBytes = 1 << 20

func (m *mailbox) open() {
	m.memory = &buffer{Region: mem.Region{Block: blockDown, Offset: stageBytes + faultBytes, Size: mailBytes}}
}

// Prefetch copies contiguous tensors to the mailbox, as many as there is room for, and submits what is recorded. What an earlier call named and
// nobody read is forgotten.
func (b *backend) Prefetch(list []*tensor.Tensor) {
	defer runtime.KeepAlive(list)
	b.stage.taken.Lock() // nobody reads the mailbox
	defer b.stage.taken.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	m := &b.mail
	m.letters = m.letters[:0]
	used := int64(faultBytes)
	for _, t := range list {
		if b.err != nil {
			return
		}
		l := letter{of: t.Buffer().(*buffer), n: int64(t.Size() * t.DType().Size()), at: used, number: b.batch.submitted + 1}
		l.from = int64(t.Offset() * t.DType().Size())
		if l.n == 0 || l.n%4 != 0 || l.from%4 != 0 || used+l.n > mailBytes || !t.IsContiguous() {
			continue
		}
		used += (l.n + 15) &^ 15
		b.copyBytes("Prefetch", m.memory, l.at, l.of, l.from, l.n)
		m.letters = append(m.letters, l)
	}
	if len(m.letters) == 0 {
		return
	}
	m.checks = b.checks
	b.copyFaults(m.memory, 0)
	m.number = m.memory.last
	b.flush() // so that the number of later work is another one
}

// delivered copies bytes of a tensor's memory from the mailbox. It reports whether they are there and nothing touched the memory since.
func (b *backend) delivered(dst []byte, of *buffer, from int64) bool {
	m := &b.mail
	for _, l := range m.letters {
		if l.of != of || l.from != from || l.n != int64(len(dst)) || of.last != l.number {
			continue
		}
		mail := b.blocks[blockDown].mapped[m.memory.Offset:]
		if b.await(context.Background(), max(l.number, m.number)) == nil {
			if b.checked < m.checks {
				b.checked = m.checks
				b.lookAtFaults(mail)
			}
			copy(dst, mail[l.at:])
		}
		return true
	}
	return false
}

// withdraw forgets what the mailbox has of memory that the host writes now.
func (b *backend) withdraw(of *buffer) {
	for i := range b.mail.letters {
		if b.mail.letters[i].of == of {
			b.mail.letters[i].of = nil
		}
	}
}
