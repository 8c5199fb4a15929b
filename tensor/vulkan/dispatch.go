//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"math"
	"runtime"
	"slices"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/record"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// arg is what a dispatch sees of memory: n elements from element lo of an allocation.
type arg struct {
	a      *buffer
	lo, n  int64
	bytes  int64 // of an element
	writes bool
	t      *tensor.Tensor // that it is of, nil for the backend's own: its memory must not be freed before it is used
}

// span is the elements that a tensor touches: those of its view, from the first to the last.
func span(t *tensor.Tensor, writes bool) arg {
	n := int64(1)
	for k, size := range t.Shape() {
		if size == 0 {
			n = 0
			break
		}
		n += int64(size-1) * int64(t.Strides()[k])
	}
	return arg{a: t.Buffer().(*buffer), lo: int64(t.Offset()), n: n, bytes: int64(t.DType().Size()), writes: writes, t: t}
}

// read is a tensor that a shader reads.
func read(t *tensor.Tensor) arg { return span(t, false) }

// write is a tensor that a shader writes.
func write(t *tensor.Tensor) arg { return span(t, true) }

// update is a tensor that a shader reads and writes.
func update(t *tensor.Tensor) arg { return span(t, true) }

// part is elements lo to lo+n of a.
func (a arg) part(lo, n int) arg {
	a.lo, a.n = a.lo+int64(lo), int64(n)
	return a
}

// some is part of what is there; an argument of one element stands for what is not.
func (a arg) some(lo, n int) arg {
	if a.n == 1 {
		return a
	}
	return a.part(lo, n)
}

// read is a for a shader that only reads it.
func (a arg) read() arg {
	a.writes = false
	return a
}

// temp is scratch memory of 32-bit words until the end of the operation at work. Where memory is short, the pool of tensors gives up what it holds.
func (b *backend) temp(words int) arg {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, err := b.alloc(4 * int64(words))
	if err != nil && b.spill != nil {
		b.mu.Unlock()
		b.spill()
		b.mu.Lock()
		a, err = b.alloc(4 * int64(words))
	}
	if err != nil {
		err.Op = b.op
		b.fail(err)
		return arg{}
	}
	if a.Size > 0 { // a device that has failed gives nothing
		b.temps = append(b.temps, a.Region)
	}
	return arg{a: a, n: int64(words), bytes: 4, writes: true}
}

// mark and release give back scratch memory before the end of the operation: all that was taken since mark. What uses it again waits.
func (b *backend) mark() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.temps)
}

func (b *backend) release(mark int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.temps[mark:] {
		b.arena.Free(r)
	}
	b.temps = b.temps[:mark]
}

// grid is a number of workgroups on each axis.
type grid [3]int

// flat is a grid of one axis, which dispatch folds.
func flat(groups int) grid { return grid{groups, 0, 0} }

// cube is a grid of three axes, each within the driver's limit.
func cube(x, y, z int) grid { return grid{x, y, z} }

// u and f make words of push constants and specialization.
func u(n int) uint32     { return uint32(n) }
func f(v float32) uint32 { return math.Float32bits(v) }

var (
	nan      = float32(math.NaN())
	infinity = float32(math.Inf(1))
)

// div is n/d, rounded up.
func div(n, d int) int { return (n + d - 1) / d }

// threads is the size of the workgroups of shaders that work on elements or rows.
const threads = 128

// pieces splits n equal units into dispatches of at most about the length of a submission, because a watchdog may end longer ones. unit
// is the number of floating-point operations of one unit.
func (b *backend) pieces(n int, unit float64, each func(lo, n int)) {
	most := n
	for most > 1 && b.tooLong(unit*float64(most)) {
		most = div(most, 2)
	}
	for lo := 0; lo < n; lo += most {
		each(lo, min(most, n-lo))
	}
}

// chunks splits elementwise work on n elements of at most 4 bytes, so that each part fits the range that a shader can bind. Parts start
// at multiples of align.
func (b *backend) chunks(n, align int, each func(lo, n int)) {
	most := int(b.caps.maxRange-b.caps.align) / 4 / align * align
	for lo := 0; lo < n; lo += most {
		each(lo, min(most, n-lo))
	}
}

// dispatch records one run of a shader. push holds the operation's words; the elements at which the arguments start go before them.
func (b *backend) dispatch(s *shaders.Shader, spec []uint32, groups grid, push []uint32, args ...arg) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil || b.refused != nil || groups[0] == 0 {
		return
	}
	if len(args) != s.Bindings || len(args)+len(push) > vk.MaxPush {
		panic("vulkan: " + s.Name + ": wrong number of buffers or push constants")
	}
	op := vk.Op{Kind: vk.Dispatch, Words: uint32(len(args) + len(push))}
	var accesses [vk.MaxBindings]record.Access
	var bindings [vk.MaxBindings]vk.Binding
	for k, a := range args {
		from, to := a.a.Offset+a.lo*a.bytes, a.a.Offset+(a.lo+a.n)*a.bytes
		start := from &^ (b.caps.align - 1)
		size := (to - start + 3) &^ 3 // the last word whole
		if size > b.caps.maxRange {
			b.fail(&Error{Op: s.Name, Detail: tooLarge(size, b.caps.maxRange)})
			return
		}
		op.Push[k] = uint32((from - start) / a.bytes)
		bindings[k] = vk.Binding{Buffer: b.handleOf(a.a.Block), Offset: uint64(start), Range: uint64(max(size, 4))}
		accesses[k] = access(a.a, start-a.a.Offset, start-a.a.Offset+size, a.writes) // all that is bound, as validation layers see it
	}
	copy(op.Push[len(args):], push)
	op.Groups = b.fold(groups)
	var code int
	if op.Layout, op.Pipeline, code = b.pipes.get(b, s, spec); code != 0 {
		b.refuse(s, code)
		return
	}
	if op.Set, code = b.sets.get(b, bindings[:len(args)]); code != 0 {
		b.fail(fault(s.Name, "", code))
		return
	}
	for _, a := range args {
		a.a.last = b.batch.submitted + 1
		if a.a == b.faults {
			b.checks++
		}
	}
	units := b.work // and every shader passes over its arguments at least once
	for _, a := range args {
		units += perElement * float64(a.n)
	}
	b.work = 0
	b.push(s.Name, op, units, accesses[:len(args)]...)
	for i := range args {
		runtime.KeepAlive(args[i].t)
	}
}

// perElement is how many floating-point operations a device does in the time that it takes to move one element, about: the pacer's unit
// is one of the former.
const perElement = 64

// weigh says how many floating-point operations the next dispatch takes, where those are many more than its arguments have elements.
func (b *backend) weigh(flops float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.work = flops
}

// tooLong reports whether a dispatch of so many floating-point operations would outlast by far what a submission is meant to take.
func (b *backend) tooLong(flops float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return flops > 4*b.batch.pacer.Limit()
}

// fold makes a grid of one axis one of two.
func (b *backend) fold(g grid) [3]uint32 {
	if g[1] != 0 {
		return [3]uint32{uint32(g[0]), uint32(g[1]), uint32(g[2])}
	}
	y := div(g[0], b.caps.maxGroups)
	return [3]uint32{uint32(div(g[0], y)), uint32(y), 1}
}

// setCache keeps descriptor sets by what is bound: from the second step on, a training run finds all of them.
type setCache struct {
	layouts [vk.MaxBindings + 1]uint64
	sets    map[setKey]uint64
	pools   []uint64
	left    int // sets that the last pool still has
}

type setKey struct {
	n int
	b [vk.MaxBindings]vk.Binding
}

// A pool holds poolSets sets; beyond maxSets all are forgotten, for changing shapes would fill memory.
const (
	poolSets = 512
	maxSets  = 1 << 16
)

func (c *setCache) open(b *backend) error {
	c.sets = map[setKey]uint64{}
	for n := 1; n <= vk.MaxBindings; n++ {
		var code int
		if c.layouts[n], code = b.calls.SetLayout(n); code != 0 {
			return fault("open", b.info.Name, code)
		}
	}
	return nil
}

func (c *setCache) close(b *backend) {
	c.forget(b)
	for _, l := range c.layouts {
		b.calls.Destroy(vk.SetLayout, l)
	}
}

// forget destroys all sets; the device must be idle.
func (c *setCache) forget(b *backend) {
	for _, p := range c.pools {
		b.calls.Destroy(vk.DescriptorPool, p)
	}
	c.pools, c.left = nil, 0
	clear(c.sets)
}

func (c *setCache) get(b *backend, bindings []vk.Binding) (uint64, int) {
	key := setKey{n: len(bindings)}
	copy(key.b[:], bindings)
	if set, ok := c.sets[key]; ok {
		return set, 0
	}
	if len(c.sets) >= maxSets {
		b.drain()
		c.forget(b)
	}
	if c.left == 0 {
		pool, code := b.calls.DescriptorPool(poolSets, poolSets*vk.MaxBindings)
		if code != 0 {
			return 0, code
		}
		c.pools = append(c.pools, pool)
		c.left = poolSets
	}
	set, code := b.calls.DescriptorSet(c.pools[len(c.pools)-1], c.layouts[len(bindings)], slices.Clone(bindings)) // a clone, so that not every call allocates it on the heap
	if code == 0 {
		c.left--
		c.sets[key] = set
	}
	return set, code
}

// rows splits m rows of width elements, so that each part fits the range that a shader can bind.
func (b *backend) rows(m, width int, each func(lo, n int)) {
	if m == 0 || width == 0 {
		return
	}
	most := max(1, int(b.caps.maxRange-b.caps.align)/4/width)
	for lo := 0; lo < m; lo += most {
		each(lo, min(most, m-lo))
	}
}

// rows is rows lo to lo+n of a contiguous tensor of rows of width elements.
func (a arg) rows(lo, n, width int) arg { return a.part(lo*width, n*width) }

// word is a flag of push constants and of specialization constants.
func word(flag bool) uint32 {
	if flag {
		return 1
	}
	return 0
}

// elements is the grid of shaders that run through n elements with EACH.
func elements(n int) grid { return flat(div(n, 512)) }
