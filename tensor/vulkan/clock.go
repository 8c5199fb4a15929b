//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"runtime"
	"time"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// clock measures how long submissions take: by the device's own timestamps, else by when the host sees them done.
type clock struct {
	queries uint64  // a pool with two for each slot; 0 where timestamps cannot be had
	mask    uint64  // of the bits that count
	tick    float64 // nanoseconds
	last    uint64  // when the submission before was done

	begun [2]time.Time // by slot
	seen  time.Time    // when the host saw the submission before done
}

func (c *clock) open(b *backend) error {
	if b.stampBits == 0 || runtime.GOOS == "darwin" { // MoltenVK's are those of whole command buffers
		return nil
	}
	c.mask, c.tick = ^uint64(0)>>(64-min(64, b.stampBits)), float64(b.limits.TimestampPeriod)
	var code int
	if c.queries, code = b.calls.Queries(4); code != 0 {
		return fault("open", b.info.Name, code)
	}
	return nil
}

func (c *clock) close(b *backend) { b.calls.Destroy(vk.QueryPool, c.queries) }

func (c *clock) started(slot int) { c.begun[slot] = time.Now() }

// took is how long the slot's submission kept the device busy: from its begin, or from when the one before was done.
func (c *clock) took(b *backend, slot int) time.Duration {
	from, now := c.begun[slot], time.Now()
	if c.seen.After(from) {
		from = c.seen
	}
	c.seen = now
	if c.queries == 0 {
		return now.Sub(from)
	}
	stamps, code := b.calls.Times(c.queries, 2*slot)
	if code != 0 {
		return now.Sub(from)
	}
	start, end := stamps[0]&c.mask, stamps[1]&c.mask
	if c.last > start && c.last <= end {
		start = c.last
	}
	c.last = end
	return time.Duration(float64((end-start)&c.mask) * c.tick)
}
