//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"runtime"
	"time"
	"unsafe"

	vk "github.com/vulkan-go/vulkan"
)

// clock measures how long submissions take: by the device's own timestamps, else by when the host sees them done.
type clock struct {
	queries vk.QueryPool // two for each slot; null where timestamps cannot be had
	mask    uint64       // of the bits that count
	tick    float64      // nanoseconds
	last    uint64       // when the submission before was done

	begun [2]time.Time // by slot
	seen  time.Time    // when the host saw the submission before done
}

func (c *clock) open(b *backend) error {
	if b.stampBits == 0 || runtime.GOOS == "darwin" { // MoltenVK's are those of whole command buffers
		return nil
	}
	c.mask, c.tick = ^uint64(0)>>(64-min(64, b.stampBits)), float64(b.limits.TimestampPeriod)
	info := vk.QueryPoolCreateInfo{SType: vk.StructureTypeQueryPoolCreateInfo, QueryType: vk.QueryTypeTimestamp, QueryCount: 4}
	defer info.Free()
	if code := cell(&c.queries, func(p *vk.QueryPool) vk.Result { return vk.CreateQueryPool(b.device, &info, nil, p) }); code != 0 {
		return fault("open", b.info.Name, code)
	}
	return nil
}

func (c *clock) close(b *backend) {
	if c.queries != vk.NullQueryPool {
		vk.DestroyQueryPool(b.device, c.queries, nil)
	}
}

func (c *clock) handle() uint64 { return uint64(uintptr(unsafe.Pointer(c.queries))) }

func (c *clock) started(slot int) { c.begun[slot] = time.Now() }

// took is how long the slot's submission kept the device busy: from its begin, or from when the one before was done.
func (c *clock) took(b *backend, slot int) time.Duration {
	from, now := c.begun[slot], time.Now()
	if c.seen.After(from) {
		from = c.seen
	}
	c.seen = now
	if c.queries == vk.NullQueryPool {
		return now.Sub(from)
	}
	const bits64 = 1
	stamps := new([2]uint64)
	if vk.GetQueryPoolResults(b.device, c.queries, uint32(2*slot), 2, 16, unsafe.Pointer(stamps), 8, bits64) != 0 {
		return now.Sub(from)
	}
	start, end := stamps[0]&c.mask, stamps[1]&c.mask
	if c.last > start && c.last <= end {
		start = c.last
	}
	c.last = end
	return time.Duration(float64((end-start)&c.mask) * c.tick)
}
