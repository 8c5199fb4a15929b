//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/record"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// batch collects operations for one submission. Two submissions may be under way. Submissions are numbered from 1.
type batch struct {
	ops                  []vk.Op
	pacer                *record.Pacer
	pool                 uint64 // of command buffers
	slots                [2]slot
	next                 int        // slot of the next submission
	submitted, completed uint64     // numbers of the last submission, and of the last one that is done
	quiet                *sync.Cond // on the backend's mu: a slot has no waiters any more
	clock                clock
}

// slot is a command buffer and the submission that it is in.
type slot struct {
	commands uint64
	fence    uint64
	busy     bool
	number   uint64 // of the submission
	waiters  int    // goroutines that wait for the fence, without the backend's mu
	units    float64
}

// maxOps bounds the recorded operations of one submission.
const maxOps = 1024

func (q *batch) open(b *backend) error {
	q.quiet = sync.NewCond(&b.mu)
	q.pacer = record.NewPacer(firstSubmission(b.info.Kind), submission())
	var code int
	if q.pool, code = b.calls.CommandPool(b.family); code != 0 {
		return fault("open", b.info.Name, code)
	}
	for k := range q.slots {
		s := &q.slots[k]
		if s.commands, code = b.calls.CommandBuffer(q.pool); code != 0 {
			return fault("open", b.info.Name, code)
		}
		if s.fence, code = b.calls.Fence(); code != 0 {
			return fault("open", b.info.Name, code)
		}
	}
	return q.clock.open(b)
}

// firstSubmission is a guess of the work of one submission, in floating point operations, until the device's speed is known. It is low where a
// device may be slow: at 2 GFLOP/s an integrated GPU takes half a second, of which watchdogs allow two.
func firstSubmission(kind string) float64 {
	switch kind {
	case "discrete":
		return 50e9
	case "cpu":
		return 1e8
	}
	return 1e9
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
	q.clock.close(b)
	for _, s := range q.slots {
		b.calls.Destroy(vk.Fence, s.fence)
	}
	b.calls.Destroy(vk.CommandPool, q.pool)
}

// hostBlocks is how many blocks the host sees. They are numbered -1, -2.
const hostBlocks = 2

// access is what an operation does with bytes lo to hi of an allocation.
func access(a *buffer, lo, hi int64, write bool) record.Access {
	return record.Access{Block: a.Block + hostBlocks, Lo: a.Offset + lo, Hi: a.Offset + hi, Write: write}
}

// push records one operation of about the given cost, after a barrier where it needs one.
func (b *backend) push(name string, op vk.Op, units float64, accesses ...record.Access) {
	if b.err != nil {
		return
	}
	if b.hazards.Next(accesses) || debugBarriers {
		op.Barrier = 1
	}
	b.batch.ops = append(b.batch.ops, op)
	if b.trace != nil {
		b.trace.add(op, accesses)
	}
	b.recent[b.recents%len(b.recent)] = [2]string{b.op, name}
	b.recents++
	if b.batch.pacer.Add(units) || len(b.batch.ops) >= maxOps {
		b.flush()
	}
}

// debugBarriers puts a barrier before every operation: results must not change.
var debugBarriers = os.Getenv("BEIT_VK_BARRIERS") == "1"

// latest is the number of the submission that holds the last operation recorded so far.
func (q *batch) latest() uint64 {
	if len(q.ops) > 0 {
		return q.submitted + 1
	}
	return q.submitted
}

// flush submits what is recorded. It may give up mu while it waits for a slot.
func (b *backend) flush() {
	q := &b.batch
	for len(q.ops) > 0 && b.err == nil {
		s := &q.slots[q.next]
		switch {
		case s.busy:
			_ = b.await(context.Background(), s.number) // an error is b.err
		case s.waiters > 0:
			q.quiet.Wait()
		default:
			b.submit(s)
		}
	}
}

func (b *backend) submit(s *slot) {
	q := &b.batch
	code := b.calls.ResetFence(s.fence)
	if code == 0 {
		code = b.calls.Record(s.commands, q.ops, q.clock.queries, 2*q.next)
	}
	if code == 0 {
		code = b.hook("submit")
	}
	if code == 0 && b.trace != nil {
		b.trace.submitted(q)
		return
	}
	if code == 0 {
		code = b.calls.Submit(s.commands, s.fence)
	}
	if code != 0 {
		b.fail(fault("submit", b.info.Name, code))
		return
	}
	q.submitted++
	q.clock.started(q.next)
	s.busy, s.number, s.units = true, q.submitted, q.pacer.Take()
	q.next = (q.next + 1) % len(q.slots)
	q.ops = q.ops[:0]
}

// await waits until a submission is done, which must have been made. It gives up mu meanwhile, so that others can record. The context
// ends the wait, not the work.
func (b *backend) await(ctx context.Context, number uint64) error {
	const slice = 250 * time.Millisecond
	q := &b.batch
	for b.err == nil && q.completed < number {
		if err := ctx.Err(); err != nil {
			return err
		}
		if b.trace != nil {
			b.trace.await(b)
			continue
		}
		at := q.oldest()
		s := &q.slots[at]
		calls, fence := b.calls, s.fence
		s.waiters++
		b.mu.Unlock()
		code := calls.WaitFence(fence, uint64(slice))
		b.mu.Lock()
		if s.waiters--; s.waiters == 0 {
			q.quiet.Broadcast()
		}
		b.fenced(at, code)
	}
	return b.err
}

// oldest is the slot of the submission that is done next.
func (q *batch) oldest() int {
	other := 1 - q.next
	if q.slots[q.next].busy {
		return q.next
	}
	return other
}

// poll looks which submissions are done, without waiting.
func (b *backend) poll() {
	for q := &b.batch; b.trace == nil && b.err == nil && q.completed < q.submitted; {
		at, before := q.oldest(), q.completed
		if b.fenced(at, b.calls.FenceStatus(q.slots[at].fence)); q.completed == before {
			return
		}
	}
}

// fenced takes what a fence said of a slot's submission.
func (b *backend) fenced(at, code int) {
	const notReady, timeout = 1, 2
	q := &b.batch
	s := &q.slots[at]
	if code == notReady || code == timeout || !s.busy || b.err != nil {
		return
	}
	if code == 0 {
		code = b.hook("wait")
	}
	if code != 0 {
		b.fail(fault("wait", b.info.Name, code))
		return
	}
	s.busy, q.completed = false, s.number
	q.pacer.Done(s.units, q.clock.took(b, at))
}

// drain submits what is recorded and waits until the device has nothing to do. Unless it failed, mu was not given up since.
func (b *backend) drain() {
	q := &b.batch
	for b.err == nil && q.completed < q.latest() {
		b.flush()
		_ = b.await(context.Background(), q.submitted) // an error is b.err
	}
}
