//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// variant is a way to multiply in float16 with sums in float32, for precision Medium. The factors are packed first and rounded to
// float16. Before that, each row of A and column of B is multiplied by a power of two that depends on its largest magnitude.
//
// One power for a whole matrix would make the rounding of a row depend on the rest of the batch. Scaled float16 keeps three bits more
// than bfloat16 at the same speed, so there is no variant in bfloat16.
type variant struct {
	name            string
	plain, followed *shaders.Shader
	tiles           []tile   // that the device can run, from small to large
	matrix          vk.Shape // of cooperative matrices, none if zero
	subgroup        int      // lanes
	refused         string   // why it is not used any more: a driver refused its shaders. Guarded by the backend's mu
}

// halfStep is the multiple to which packed rows are padded: the number of elements that gemm_coop takes at a time. Products with fewer,
// or with as few columns, take longer to pack than to multiply. The number of rows is not considered, because a row's result must not
// depend on it.
const halfStep = 32

// packRows and packPieces are how shaders/half_*.comp divide their work: rows of a workgroup, and the most pieces of a row.
const (
	packRows   = 32
	packPieces = 64
	packLength = 256 // of a piece, at least
)

// float16s multiplies with ordinary arithmetic.
func (c caps) float16s() *variant {
	v := &variant{name: "float16", plain: shaders.GemmHalf, followed: shaders.GemmHalfEpilogue}
	for _, t := range tiles {
		if 4*16*(t.m/2+1+t.n/2+1) <= c.shared && t.invocations() <= c.threads {
			v.tiles = append(v.tiles, t)
		}
	}
	return v
}

// coopmats multiplies on the largest cooperative matrices that fit its tiles, nil where there are none.
func (c caps) coopmats(subgroup int) *variant {
	v := &variant{plain: shaders.GemmCoop, followed: shaders.GemmCoopEpilogue, subgroup: subgroup}
	for _, s := range c.matrices {
		if fit := c.coopTiles(int(s.M), int(s.N), int(s.K), subgroup); len(fit) > 0 && s.M*s.N*s.K > v.matrix.M*v.matrix.N*v.matrix.K {
			v.matrix, v.tiles = s, fit
		}
	}
	if len(v.tiles) == 0 {
		return nil
	}
	v.name = "float16 on cooperative matrices of " + v.matrix.String()
	return v
}

// coopTiles is the tiles that gemm_coop can make of matrices m x k by k x n: their tm and tn count matrices. A workgroup has four subgroups, in
// two rows. More than 16 matrices of sums are too many for a subgroup's registers.
func (c caps) coopTiles(m, n, k, subgroup int) []tile {
	var fit []tile
	for _, t := range tiles {
		t.tm, t.tn = t.m/(2*m), t.n/(2*n)
		shared := 16 * max((t.m+t.n)*(halfStep/8+1), m*t.n/2)
		if t.m%(2*m) == 0 && t.n%(2*n) == 0 && halfStep%k == 0 && k%8 == 0 && t.tm*t.tn <= 16 && shared <= c.shared && 4*subgroup <= c.threads {
			fit = append(fit, t)
		}
	}
	return fit
}

// spec is the constants of the variant's shader for a tile.
func (v *variant) spec(t tile) []uint32 {
	if s := v.matrix; s.M > 0 {
		return []uint32{u(4 * v.subgroup), s.M, s.N, s.K, u(t.tm), u(t.tn), 0}
	}
	return []uint32{u(t.invocations()), u(t.m), u(t.n), u(t.tm), u(t.tn), 0, 0}
}

// factor is one side of a product, with rows along k.
type factor struct {
	x                    arg
	rows, k, row, col    int // its size, and steps from one row and column to the next
	batch, next          int // matrices, and the step from one to the next
	padded, depth        int // its size when packed
	pieces, length       int // of a row for the shaders that pack it
	largest, packedWords arg
}

func newFactor(x arg, rows, k, row, col, batch, next, tile int) *factor {
	if next == 0 {
		batch = 1
	}
	f := &factor{x: x, rows: rows, k: k, row: row, col: col, batch: batch, next: next}
	f.padded, f.depth = div(rows, tile)*tile, div(k, halfStep)*halfStep
	f.length = max(packLength, div(f.depth, packPieces*halfStep)*halfStep)
	f.pieces = div(f.depth, f.length)
	return f
}

// scales is where the exponents start in a packed factor, in words. words is its size.
func (f *factor) scales() int { return f.batch * f.padded * f.depth / 2 }
func (f *factor) words() int  { return f.scales() + f.batch*f.padded }

// each is the rows from one matrix of the product's batch to the next.
func (f *factor) each() int {
	if f.next == 0 {
		return 0
	}
	return f.padded
}

// factors are those of p for tiles of the given size.
func (p product) factors(m, n int) (a, b *factor) {
	return newFactor(p.a, p.m, p.k, p.aRow, p.aCol, p.batch, p.aNext, m), newFactor(p.b, p.n, p.k, p.bCol, p.bRow, p.batch, p.bNext, n)
}

// packed is the size of the packed factors in words, at most; 0 when p is not made from such. most is how many words a shader sees. What it
// says of a row does not depend on how many there are.
func (b *backend) packed(p product, most int) (left, right int) {
	if p.faster == nil || p.k < halfStep || p.n < halfStep || p.n > packRows*b.caps.maxGroups {
		return 0, 0
	}
	largest := tiles[len(tiles)-1]
	l, r := p.factors(largest.m, largest.n)
	if l.words()/l.batch/l.padded*largest.m > most {
		return 0, 0 // the smallest part is too long
	}
	return l.words(), r.words()
}

// findLargest records the search for the largest magnitude of each piece of each row.
func (b *backend) findLargest(f *factor) {
	f.largest = b.temp(f.batch * f.rows * f.pieces)
	b.dispatch(shaders.HalfMax, []uint32{word(f.col == 1)}, cube(div(f.rows, packRows), f.pieces, f.batch),
		[]uint32{u(f.rows), u(f.k), u(f.row), u(f.col), u(f.next), u(f.pieces), u(f.length)}, f.largest, f.x)
}

// pack records the packing.
func (b *backend) pack(f *factor) {
	f.packedWords = b.temp(f.words())
	b.dispatch(shaders.HalfPack, []uint32{word(f.col == 1)}, cube(f.padded/packRows, f.pieces, f.batch),
		[]uint32{u(f.rows), u(f.k), u(f.row), u(f.col), u(f.next), u(f.pieces), u(f.length), u(f.padded), u(f.depth), u(f.scales())},
		f.packedWords, f.x, f.largest.read())
}

// gemmHalf is gemm by a faster variant. Where the driver refuses its shaders, it switches the variant off.
func (b *backend) gemmHalf(p product) {
	v := p.faster
	s := p.shader(v.plain, v.followed)
	t, ok := p.choose(v.tiles, func(t tile) bool { return b.builds(s, p.spec(v.spec(t)...)) })
	for _, col := range []int{p.aCol, p.bRow} {
		ok = ok && b.builds(shaders.HalfMax, []uint32{word(col == 1)}) && b.builds(shaders.HalfPack, []uint32{word(col == 1)})
	}
	if !ok {
		b.mu.Lock()
		v.refused = "the driver refuses its shaders"
		b.mu.Unlock()
		p.faster = nil
		b.gemm(p)
		return
	}
	left, right := p.factors(t.m, t.n)
	b.findLargest(left) // both before either is packed: they need not wait for each other
	b.findLargest(right)
	b.pack(left)
	b.pack(right)
	p.a, p.b = left.packedWords.read(), right.packedWords.read()
	sizes := []uint32{u(p.m), u(p.n), u(left.depth), u(left.each()), u(right.each()), u(left.scales()), u(right.scales()), u(p.m * p.n)}
	b.dispatchProduct(p, t, s, p.spec(v.spec(t)...), sizes)
}
