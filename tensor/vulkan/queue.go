//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"os"
	"strconv"
	"time"
	"unsafe"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/record"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/shim"
	vk "github.com/vulkan-go/vulkan"
)

// batch collects operations for one submission. Two submissions may be under way.
type batch struct {
	ops   []shim.Op
	pacer *record.Pacer
	pool  vk.CommandPool
	slots [2]slot
	next  int
	ctx   context.Context // of a Sync that waits, or nil
}

// slot is a command buffer and the submission that it is in.
type slot struct {
	commands vk.CommandBuffer
	fence    vk.Fence
	busy     bool
	units    float64
	since    time.Time
}

// maxOps bounds the recorded operations of one submission.
const maxOps = 1024

func (q *batch) open(b *backend) error {
	q.pacer = record.NewPacer(firstSubmission(b.info.Kind), submission())
	info := vk.CommandPoolCreateInfo{SType: vk.StructureTypeCommandPoolCreateInfo, Flags: 2, QueueFamilyIndex: b.family} // buffers are reset one by one
	code := cell(&q.pool, func(p *vk.CommandPool) vk.Result { return vk.CreateCommandPool(b.device, &info, nil, p) })
	info.Free()
	if code != 0 {
		return fault("open", b.info.Name, code)
	}
	for k := range q.slots {
		s := &q.slots[k]
		ask := vk.CommandBufferAllocateInfo{SType: vk.StructureTypeCommandBufferAllocateInfo, CommandPool: q.pool, Level: vk.CommandBufferLevelPrimary, CommandBufferCount: 1}
		buffers := make([]vk.CommandBuffer, 1)
		code := int(vk.AllocateCommandBuffers(b.device, &ask, buffers))
		ask.Free()
		if code != 0 {
			return fault("open", b.info.Name, code)
		}
		s.commands = buffers[0]
		fence := vk.FenceCreateInfo{SType: vk.StructureTypeFenceCreateInfo}
		code = cell(&s.fence, func(p *vk.Fence) vk.Result { return vk.CreateFence(b.device, &fence, nil, p) })
		fence.Free()
		if code != 0 {
			return fault("open", b.info.Name, code)
		}
	}
	return nil
}

// firstSubmission is a guess of the work of one submission, in floating point operations, until the device's speed is known.
func firstSubmission(kind string) float64 {
	switch kind {
	case "discrete":
		return 50e9
	case "cpu":
		return 1e8
	}
	return 10e9
}

// submission is the time that one submission is meant to take: long enough that its cost does not show, short enough for every watchdog.
// BEIT_VK_MAX_SUBMIT_MS changes it.
func submission() time.Duration {
	if ms, err := strconv.Atoi(os.Getenv("BEIT_VK_MAX_SUBMIT_MS")); err == nil && ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return 80 * time.Millisecond
}

func (q *batch) close(b *backend) {
	for _, s := range q.slots {
		if s.fence != vk.NullFence {
			vk.DestroyFence(b.device, s.fence, nil)
		}
	}
	if q.pool != vk.NullCommandPool {
		vk.DestroyCommandPool(b.device, q.pool, nil)
	}
}

// hostBlocks is how many blocks the host sees. They are numbered -1, -2.
const hostBlocks = 2

// access is what an operation does with bytes lo to hi of an allocation.
func access(a allocation, lo, hi int64, write bool) record.Access {
	return record.Access{Block: a.Block + hostBlocks, Lo: a.Offset + lo, Hi: a.Offset + hi, Write: write}
}

// push records one operation of about the given cost, after a barrier where it needs one.
func (b *backend) push(name string, op shim.Op, units float64, accesses ...record.Access) {
	if b.err != nil {
		return
	}
	if b.hazards.Next(accesses) || debugBarriers {
		op.Barrier = 1
	}
	b.batch.ops = append(b.batch.ops, op)
	b.recent[b.recents%len(b.recent)] = name
	b.recents++
	if b.batch.pacer.Add(units) || len(b.batch.ops) >= maxOps {
		b.flush()
	}
}

// debugBarriers puts a barrier before every operation: results must not change.
var debugBarriers = os.Getenv("BEIT_VK_BARRIERS") == "1"

// flush submits what is recorded.
func (b *backend) flush() {
	q := &b.batch
	if len(q.ops) == 0 || b.err != nil {
		return
	}
	s := &q.slots[q.next]
	q.waitFor(b, s)
	if b.err != nil || s.busy {
		return
	}
	code := b.calls.Record(unsafe.Pointer(s.commands), q.ops)
	if code == 0 {
		code = b.hook("submit")
	}
	if code == 0 {
		code = b.calls.Submit(unsafe.Pointer(b.queue), unsafe.Pointer(s.commands), uint64(uintptr(unsafe.Pointer(s.fence))))
	}
	if code != 0 {
		b.fail(fault("submit", b.info.Name, code))
		return
	}
	s.busy, s.units, s.since = true, q.pacer.Take(), time.Now()
	q.next = (q.next + 1) % len(q.slots)
	q.ops = q.ops[:0]
}

// wait waits for all submissions, or the context of a Sync.
func (q *batch) wait(b *backend) {
	for k := range q.slots {
		q.waitFor(b, &q.slots[(q.next+k)%len(q.slots)])
	}
}

// waitFor waits until s is done, in slices of time so that a context can end the wait.
func (q *batch) waitFor(b *backend, s *slot) {
	const slice = 250 * time.Millisecond
	for s.busy && b.err == nil {
		if q.ctx != nil && q.ctx.Err() != nil {
			return
		}
		fences := []vk.Fence{s.fence}
		code := int(vk.WaitForFences(b.device, 1, fences, vk.True, uint64(slice)))
		if code == 2 { // VK_TIMEOUT
			continue
		}
		if code == 0 {
			code = b.hook("wait")
		}
		if code == 0 {
			code = int(vk.ResetFences(b.device, 1, fences))
		}
		if code != 0 {
			b.fail(fault("wait for the device", b.info.Name, code))
			return
		}
		s.busy = false
		q.pacer.Done(s.units, time.Since(s.since))
	}
}
