//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"math"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/record"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// trace counts what a device is given, which executes nothing of it: pipelines and descriptor sets are made and commands are recorded as ever, but
// nothing is handed to the queue. So a step of a large model takes as long as the host's part of it.
type trace struct {
	counts     Counts
	workgroups map[uint64]int64 // by pipeline
}

// OpenTrace opens a device that counts what it is given instead of executing it. It is for tests, and what is read from such a device means nothing.
// Precision medium runs on the first variant that the driver offers, as if that had passed its self-test.
func OpenTrace(ctx context.Context, o Options) (*tensor.Device, error) {
	dev, err := open(ctx, o, &trace{workgroups: map[uint64]int64{}})
	if err != nil {
		return nil, err
	}
	b := dev.Backend().(*backend)
	b.caps.endsLoops = false // a GPU's driver does not
	b.medium.tested = true
	if b.medium.use = b.caps.coopmats(b.info.Subgroup); b.medium.use == nil && b.caps.float16 {
		b.medium.use = b.caps.float16s()
	}
	return dev, nil
}

// asGPU makes a device that executes nothing be given what a discrete GPU is given, whatever the driver: a CPU's gets short submissions, and may see little of
// a tensor.
func (p *physical) asGPU() { p.info.Kind, p.limits.MaxStorageBufferRange = "discrete", math.MaxUint32 }

// CountsOf returns what a device of OpenTrace was given since it was opened, nothing for other devices.
func CountsOf(d *tensor.Device) Counts {
	b, ok := d.Backend().(*backend)
	if !ok || b.trace == nil {
		return Counts{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.trace.counts
}

// WorkgroupsOf returns how many workgroups of each pipeline a device of OpenTrace was given since it was opened, nothing for other devices. A pipeline is
// named by its shader and specialization constants.
func WorkgroupsOf(d *tensor.Device) map[string]int64 {
	b, ok := d.Backend().(*backend)
	if !ok || b.trace == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string]int64{}
	for key, pipeline := range b.pipes.built {
		if n := b.trace.workgroups[pipeline]; n > 0 {
			all[pipelineName(key.shader.Name, key.spec[:key.n])] = n
		}
	}
	return all
}

// add counts one operation.
func (t *trace) add(op vk.Op, accesses []record.Access) {
	if op.Kind == vk.Dispatch {
		t.counts.Dispatches++
		t.workgroups[op.Pipeline] += int64(op.Groups[0]) * int64(op.Groups[1]) * int64(op.Groups[2])
	} else {
		t.counts.Transfers++
	}
	t.counts.Barriers += int(op.Barrier)
	for _, a := range accesses {
		t.counts.Bytes += a.Hi - a.Lo
	}
}

// submitted takes what was recorded for the submission that it would have been.
func (t *trace) submitted(q *batch) {
	t.counts.Submissions++
	q.submitted++
	q.pacer.Take()
	q.ops = q.ops[:0]
}

// await stands for a wait until all that was submitted is done.
func (t *trace) await(b *backend) {
	t.counts.Waits++
	b.batch.completed = b.batch.submitted
	clear(b.blocks[blockDown].mapped[stageBytes:]) // no shader has met a bad index
}
