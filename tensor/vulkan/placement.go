//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

// Memory properties of Vulkan.
const (
	deviceLocal  = 1
	hostVisible  = 2
	hostCoherent = 4
	hostCached   = 8

	hostWrites = hostVisible | hostCoherent
)

// smallWindow is the size of the part of a discrete GPU's memory that hosts see when they do not see all of it.
const smallWindow = 256 << 20

// deviceType chooses memory for tensors: the device's own, and such as the host sees where that costs nothing. That is so where both share
// one memory, and where the host sees all of the GPU's (resizable BAR).
func (b *backend) deviceType(allowed uint32) int {
	t := b.memoryType(allowed, deviceLocal|hostWrites)
	switch shared := b.info.Kind == "integrated" || b.info.Kind == "cpu"; {
	case b.staged || t < 0:
	case shared:
		return b.memoryType(allowed, deviceLocal|hostWrites|hostCached, deviceLocal|hostWrites)
	case int64(b.memory.Heaps[b.memory.Types[t].Heap].Size) > smallWindow:
		return t
	}
	return b.memoryType(allowed, deviceLocal, 0)
}

// uploadType is memory that the host writes; downloadType memory that it reads.
func (b *backend) uploadType(allowed uint32) int { return b.memoryType(allowed, hostWrites) }

func (b *backend) downloadType(allowed uint32) int {
	return b.memoryType(allowed, hostWrites|hostCached, hostWrites)
}

// memoryType returns the first allowed type that has all properties of the first of wants, else of the second, …, else -1.
func (b *backend) memoryType(allowed uint32, wants ...uint32) int {
	for _, want := range wants {
		for k := range b.memory.Types {
			if allowed>>k&1 == 1 && b.flags(k)&want == want {
				return k
			}
		}
	}
	return -1
}

// placed says how the host reaches tensors.
func (b *backend) placed() string {
	if b.blocks[b.faults.Block].mapped != nil {
		return "written by the host"
	}
	return "written through staging memory"
}

func (b *backend) flags(memoryType int) uint32 { return b.memory.Types[memoryType].Flags }
