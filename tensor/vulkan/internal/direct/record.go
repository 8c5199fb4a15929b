//go:build ((linux && !android) || windows) && (amd64 || arm64) && !novulkan

package direct

import (
	"unsafe"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// recording has what the commands of every recording point to, so that none of them is made anew.
type recording struct {
	begin  *commandBufferBeginInfo
	memory *memoryBarrier // after writes of shaders and transfers, before their reads and writes
	host   *memoryBarrier // what was written becomes visible to the host once the fence is signalled
	region *bufferCopy
}

func newRecording() recording {
	const shaderRead, shaderWrite, transferRead, transferWrite, hostRead = 0x20, 0x40, 0x800, 0x1000, 0x2000
	return recording{
		begin: &commandBufferBeginInfo{sType: 42, flags: 1},
		memory: &memoryBarrier{
			sType: 46, srcAccessMask: shaderWrite | transferWrite, dstAccessMask: shaderRead | shaderWrite | transferRead | transferWrite,
		},
		host:   &memoryBarrier{sType: 46, srcAccessMask: shaderWrite | transferWrite, dstAccessMask: hostRead},
		region: &bufferCopy{},
	}
}

// Stages of a pipeline.
const (
	stageTop      = 1
	stageCompute  = 0x800
	stageTransfer = 0x1000
	stageBottom   = 0x2000
	stageHost     = 0x4000
)

func (d *device) Record(commands uint64, ops []vk.Op, queries uint64, first int) int {
	c := &d.calls
	to := uintptr(commands)
	if code := c.begin.with(to, uintptr(unsafe.Pointer(d.record.begin))); code != 0 {
		return code
	}
	if queries != 0 {
		c.resetQueries.with(to, uintptr(queries), uintptr(first), 2)
		c.timestamp.with(to, stageTop, uintptr(queries), uintptr(first))
	}
	bound := uint64(0)
	for k := range ops {
		op := &ops[k]
		if op.Barrier != 0 {
			d.barrier(to, stageCompute|stageTransfer, d.record.memory)
		}
		switch op.Kind {
		case vk.Dispatch:
			const compute = 1
			if op.Pipeline != bound {
				c.bindPipeline.with(to, compute, uintptr(op.Pipeline))
				bound = op.Pipeline
			}
			c.bindSets.with(to, compute, uintptr(op.Layout), 0, 1, uintptr(unsafe.Pointer(&op.Set)), 0, 0)
			c.push.with(to, uintptr(op.Layout), computeStage, 0, uintptr(4*op.Words), uintptr(unsafe.Pointer(&op.Push)))
			c.dispatch.with(to, uintptr(op.Groups[0]), uintptr(op.Groups[1]), uintptr(op.Groups[2]))
		case vk.Copy:
			*d.record.region = bufferCopy{srcOffset: op.From, dstOffset: op.To, size: op.Size}
			c.copyBuffer.with(to, uintptr(op.Src), uintptr(op.Dst), 1, uintptr(unsafe.Pointer(d.record.region)))
		case vk.Fill:
			c.fill.with(to, uintptr(op.Dst), uintptr(op.To), uintptr(op.Size), uintptr(op.Push[0]))
		}
	}
	d.barrier(to, stageHost, d.record.host)
	if queries != 0 {
		c.timestamp.with(to, stageBottom, uintptr(queries), uintptr(first+1))
	}
	return c.end.with(to)
}

// barrier records that commands before it are done before later ones of the stages begin.
func (d *device) barrier(commands, before uintptr, m *memoryBarrier) {
	d.calls.barrier.with(commands, stageCompute|stageTransfer, before, 0, 1, uintptr(unsafe.Pointer(m)), 0, 0, 0, 0)
}
