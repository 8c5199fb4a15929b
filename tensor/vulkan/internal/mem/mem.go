// Package mem divides large blocks of device memory into regions. It is plain bookkeeping: blocks are numbers, and whoever owns an
// Arena creates and destroys what stands behind them.
//
// An Arena is not safe for concurrent use.
package mem

import (
	"fmt"
	"slices"
)

// Region is a part of a block, in bytes.
type Region struct {
	Block        int
	Offset, Size int64
}

// Config says how an Arena gets its blocks.
type Config struct {
	BlockSize int64                             // of a block; a larger request gets a block of its own
	Align     int64                             // of offsets and sizes, a power of two
	Max       int64                             // bytes of all blocks together; 0: no limit
	Grow      func(block int, size int64) error // creates a block
	Shrink    func(block int)                   // destroys one
}

// Stats counts blocks and bytes.
type Stats struct {
	Blocks      int
	Held, InUse int64
}

// FullError says that the limit is reached.
type FullError struct{ Asked, Free, Held int64 }

func (e *FullError) Error() string {
	return fmt.Sprintf("%d bytes asked, %d free of %d held", e.Asked, e.Free, e.Held)
}

// Arena hands out regions.
type Arena struct {
	c      Config
	blocks map[int]*block
	next   int
	stats  Stats
}

// block keeps its free spans by offset; no two touch.
type block struct {
	size int64
	free []span
	used map[int64]int64 // size by offset
}

type span struct{ offset, size int64 }

// New returns an empty Arena.
func New(c Config) *Arena { return &Arena{c: c, blocks: map[int]*block{}} }

// Alloc returns a region of at least size bytes, from the smallest free span that fits, the oldest block first, or from a new block.
func (a *Arena) Alloc(size int64) (Region, error) {
	size = max(1, size)
	size = (size + a.c.Align - 1) &^ (a.c.Align - 1)
	if id, at := a.fit(size); at >= 0 {
		return a.take(id, at, size), nil
	}
	room := max(size, a.c.BlockSize)
	if a.c.Max > 0 && a.stats.Held+room > a.c.Max {
		room = size // a block as small as can be
		if a.stats.Held+room > a.c.Max {
			return Region{}, &FullError{size, max(0, a.c.Max-a.stats.Held) + a.stats.Held - a.stats.InUse, a.stats.Held}
		}
	}
	id := a.next
	if err := a.c.Grow(id, room); err != nil {
		if room == size {
			return Region{}, err
		}
		if room = size; a.c.Grow(id, room) != nil {
			return Region{}, err
		}
	}
	a.next++
	a.blocks[id] = &block{size: room, free: []span{{0, room}}, used: map[int64]int64{}}
	a.stats.Blocks++
	a.stats.Held += room
	return a.take(id, 0, size), nil
}

// fit finds the smallest free span that holds size; at is its index, or -1.
func (a *Arena) fit(size int64) (id, at int) {
	id, at = -1, -1
	var best int64
	for k, b := range a.blocks {
		for i, s := range b.free {
			if s.size >= size && (at < 0 || s.size < best || s.size == best && k < id) {
				id, at, best = k, i, s.size
				if k == id && s.size == size {
					break
				}
			}
		}
	}
	return id, at
}

func (a *Arena) take(id, at int, size int64) Region {
	b := a.blocks[id]
	s := b.free[at]
	if s.size == size {
		b.free = slices.Delete(b.free, at, at+1)
	} else {
		b.free[at] = span{s.offset + size, s.size - size}
	}
	b.used[s.offset] = size
	a.stats.InUse += size
	return Region{id, s.offset, size}
}

// Free takes a region back and joins it with free neighbours. It panics for a region that is not in use.
func (a *Arena) Free(r Region) {
	b := a.blocks[r.Block]
	if b == nil || b.used[r.Offset] != r.Size || r.Size == 0 {
		panic(fmt.Sprintf("mem: Free of %+v, which is not in use", r))
	}
	delete(b.used, r.Offset)
	a.stats.InUse -= r.Size
	at, _ := slices.BinarySearchFunc(b.free, r.Offset, func(s span, offset int64) int { return int(s.offset - offset) })
	b.free = slices.Insert(b.free, at, span{r.Offset, r.Size})
	if at+1 < len(b.free) && b.free[at].offset+b.free[at].size == b.free[at+1].offset {
		b.free[at].size += b.free[at+1].size
		b.free = slices.Delete(b.free, at+1, at+2)
	}
	if at > 0 && b.free[at-1].offset+b.free[at-1].size == b.free[at].offset {
		b.free[at-1].size += b.free[at].size
		b.free = slices.Delete(b.free, at, at+1)
	}
}

// Trim destroys the blocks in which nothing is in use.
func (a *Arena) Trim() {
	for id, b := range a.blocks {
		if len(b.used) == 0 {
			a.c.Shrink(id)
			a.stats.Blocks--
			a.stats.Held -= b.size
			delete(a.blocks, id)
		}
	}
}

// Stats returns the counters.
func (a *Arena) Stats() Stats { return a.stats }
