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

// packRows and packPieces are how shaders/half_pack.comp divides its work: rows of a workgroup, and the most pieces of a row.
const (
	packRows   = 32
	packPieces = 64
	packLength = 256 // of a piece, at least
)

// packWhole is the length of rows up to which a workgroup packs whole rows, by whether neighbours in a row are neighbours in memory.
const (
	packWhole        = 1 << 14
	packWholeStrided = 1 << 12
)

// float16s multiplies with ordinary arithmetic.
func (c caps) float16s() *variant {
	v := &variant{name: "float16", plain: shaders.GemmHalf, followed: shaders.GemmHalfEpilogue}
	for _, t := range tiles {
		if t.shared() <= c.shared && t.invocations() <= c.threads {
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
	x                 arg
	rows, k, row, col int // its size, and steps from one row and column to the next
	batch, next       int // matrices, and the step from one to the next
	tile              int // whose rows those of the packed factor are a multiple of
	padded, depth     int // its size when packed
	pieces            int // of a row, whose largest magnitudes are found by a dispatch of its own; 0: rows are packed whole
	packedWords       arg
}

func newFactor(x arg, rows, k, row, col, batch, next, tile int) *factor {
	if next == 0 {
		batch = 1
	}
	f := &factor{x: x, rows: rows, k: k, row: row, col: col, batch: batch, next: next, tile: tile}
	f.padded, f.depth = div(rows, tile)*tile, div(k, halfStep)*halfStep
	if whole := f.col == 1; whole && k > packWhole || !whole && k > packWholeStrided {
		f.pieces = div(f.depth, max(packLength, div(f.depth, packPieces*halfStep)*halfStep))
	}
	return f
}

// scales is where the exponents start in a packed factor, in words. words is its size, and tops that of the magnitudes found before.
func (f *factor) scales() int { return f.batch * f.padded * f.depth / 2 }
func (f *factor) words() int  { return f.scales() + f.batch*f.padded }
func (f *factor) tops() int   { return f.batch * f.rows * f.pieces }

// room is what it takes of a memory of packed factors, in words.
func (f *factor) room() int { return aligned(f.words()) + aligned(f.tops()) }

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

// packed is the room of the packed factors in words, at most; 0 when p is not made from such. most is how many words a shader sees. What it
// says of a row does not depend on how many there are.
func (b *backend) packed(p product, most int) (left, right int) {
	if p.faster == nil || p.k < halfStep || p.n < halfStep || p.n > packRows*b.caps.maxGroups {
		return 0, 0
	}
	largest := tiles[len(tiles)-1]
	l, r := p.factors(largest.m, largest.n)
	if least := newFactor(p.a, largest.m, p.k, p.aRow, p.aCol, 1, 0, largest.m); least.room() > most {
		return 0, 0 // the smallest part is too long
	}
	return l.room(), r.room()
}

// packedProduct is a product of packed factors.
type packedProduct struct {
	product
	tile        tile
	left, right *factor
}

// gemmHalf is gemm by a faster variant, for products that do not depend on each other: their factors are packed together. Where the driver refuses
// shaders, it switches the variant off.
func (b *backend) gemmHalf(ps []product) {
	var all []packedProduct
	var factors []*factor
	for _, p := range ps {
		v, s := p.faster, p.shader(p.faster.plain, p.faster.followed)
		t, ok := p.choose(v.tiles, func(t tile) bool { return b.builds(s, p.spec(v.spec(t)...)) })
		if !ok || !b.builds(shaders.HalfPack, nil) {
			b.mu.Lock()
			v.refused = "the driver refuses its shaders"
			b.mu.Unlock()
			p.faster = nil
			b.gemm(p)
			continue
		}
		h := packedProduct{product: p, tile: t}
		h.left, h.right = p.factors(t.m, t.n)
		all, factors = append(all, h), append(factors, h.left, h.right)
	}
	b.pack(factors)
	for _, h := range all {
		p, v := h.product, h.faster
		p.a, p.b = h.left.packedWords.read(), h.right.packedWords.read()
		sizes := []uint32{u(p.m), u(p.n), u(h.left.depth), u(h.left.each()), u(h.right.each()), u(h.left.scales()), u(h.right.scales()), u(p.m * p.n)}
		b.dispatchProduct(p, h.tile, p.shader(v.plain, v.followed), p.spec(v.spec(h.tile)...), sizes)
	}
}
