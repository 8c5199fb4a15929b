//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import "github.com/gobeit/gobeit/shaders"

// product is C (+)= A·B for each of a batch: A [M, K], B [K, N], C [M, N] contiguous. Steps are in elements: of a row and of a column of A and
// B, and from one matrix of the batch to the next.
type product struct {
	batch, m, n, k         int
	c, a, b                arg
	aRow, aCol, bRow, bCol int
	aNext, bNext           int
	add                    bool
	epilogue               *epilogue
	faster                 *variant // how to multiply in float16; nil: in float32
	only                   []tile   // to multiply with in float32, of which a self-test tries each; nil: those of the device
	pieces                 int      // of k, whose products are summed in order; 0: one
}

// epilogue is what Linear does to a product; see shaders/gemm.comp. What it lacks is the zero arg.
type epilogue struct {
	kind                               uint32
	saved, bias, residual, gamma, keep arg
	first, perSample                   int // the number of the product's first row; rows of a sample
}

// The kinds of epilogue.
const (
	epilogueBias = iota
	epilogueGELU
	epilogueResidual
)

// tile is the shape of a workgroup's work: rows and columns, and those of one invocation.
type tile struct{ m, n, tm, tn int }

// tiles from small to large. A larger one reads less, a smaller one makes more workgroups.
var tiles = [...]tile{{32, 32, 4, 4}, {64, 64, 8, 4}, {128, 128, 8, 8}}

// invocations is the size of the workgroup.
func (t tile) invocations() int { return t.m / t.tm * (t.n / t.tn) }

// shared is the shared memory that a tile takes: see shaders/include/tile.glsl.
func (t tile) shared() int { return 16 * 16 * (t.m/4 + 1 + t.n/4 + 1) }

// choose takes the largest tile that the device can run and that the product fills, else the smallest that it can run. All give the same
// result. ok is false if the device can run none.
func (p product) choose(tiles []tile, can func(tile) bool) (best tile, ok bool) {
	for k := len(tiles) - 1; k >= 0; k-- {
		t := tiles[k]
		filled := p.m > t.m/2 && p.n > t.n/2 && div(p.m, t.m)*div(p.n, t.n)*p.batch >= minGroups
		if (filled || k == 0) && can(t) {
			return t, true
		}
	}
	for _, t := range tiles {
		if can(t) {
			return t, true
		}
	}
	return tile{}, false
}

// longRows is the number of rows from which a product that takes long is done in parts; rows of the result do not depend on it.
const longRows = 256

// flops is the number of floating-point operations.
func (p product) flops() float64 {
	return 2 * float64(p.batch) * float64(p.m) * float64(p.n) * float64(p.k)
}

// minGroups is how many workgroups keep a device busy.
const minGroups = 64

// extent is how many elements of memory rows x cols elements with the given steps span.
func extent(rows, cols, row, col int) int { return (rows-1)*row + (cols-1)*col + 1 }

// multiply records products that do not depend on each other, in parts where their matrices are too large for a shader to see whole.
func (b *backend) multiply(ps ...product) {
	whole, sums := b.inPieces(ps)
	b.multiplyWhole(whole...)
	for _, s := range sums {
		s()
	}
}

// inPieces puts the products of pieces of k in the place of products that have pieces, and returns what sums them then. All pieces have the same length, but
// the last has what is left.
func (b *backend) inPieces(ps []product) (whole []product, sums []func()) {
	for _, p := range ps {
		size := p.m * p.n
		if p.pieces < 2 || size == 0 || p.pieces*size > b.mostWords() {
			whole = append(whole, p)
			continue
		}
		parts, length := b.temp(p.pieces*size), p.k/p.pieces
		first, last := p, p
		first.c, first.add, first.pieces, first.k = parts, false, 0, length
		first.aNext, first.bNext = length*p.aCol, length*p.bRow
		first.batch = p.pieces
		if rest := p.k - (p.pieces-1)*length; rest > length {
			first.batch--
			last.c, last.add, last.pieces, last.k = parts.from(first.batch*size), false, 0, rest
			last.a, last.b = p.a.from(first.batch*first.aNext), p.b.from(first.batch*first.bNext)
			whole = append(whole, last)
		}
		whole = append(whole, first)
		sums = append(sums, func() { b.reduceCols(false, p.c, parts.read(), 1, p.pieces, size, 1, p.add) })
	}
	return whole, sums
}

// multiplyWhole is multiply, with no regard to pieces.
func (b *backend) multiplyWhole(ps ...product) {
	var packed []product
	for _, p := range ps {
		if p.batch == 0 || p.m == 0 || p.n == 0 {
			continue
		}
		if p.k == 0 {
			p.aNext, p.bNext = 0, 0 // nothing is read
		}
		aPacked, bPacked := b.packed(p, b.mostWords())
		if first, second, cut := b.halves(p, aPacked, bPacked); cut {
			b.multiplyWhole(first)
			b.multiplyWhole(second)
			continue
		}
		p.c = p.c.part(0, p.batch*p.m*p.n)
		p.a = p.a.part(0, (p.batch-1)*p.aNext+extent(p.m, max(1, p.k), p.aRow, p.aCol))
		p.b = p.b.part(0, (p.batch-1)*p.bNext+extent(max(1, p.k), p.n, p.bRow, p.bCol))
		if aPacked > 0 && bPacked <= b.mostWords() {
			packed = append(packed, p)
		} else {
			b.gemm(p)
		}
	}
	b.gemmHalf(packed)
}

// mostWords is how many words a shader sees of one tensor.
func (b *backend) mostWords() int { return int(b.caps.maxRange-b.caps.align) / 4 }

// halves cuts a product in two, the second after the first, where a shader does not see its matrices whole, as they are or packed, or it takes too long.
func (b *backend) halves(p product, aPacked, bPacked int) (first, second product, cut bool) {
	most := b.mostWords()
	aSize, bSize := extent(p.m, max(1, p.k), p.aRow, p.aCol), extent(max(1, p.k), p.n, p.bRow, p.bCol)
	half := func(n, align int) int { return max(1, div(n, 2*align)) * align }
	long := b.tooLong(p.flops()) // a watchdog may not wait for the whole
	first, second = p, p
	switch batchSize := func(next, size int) int { return (p.batch-1)*next + size }; {
	case p.batch > 1 && (long || batchSize(p.aNext, aSize) > most || batchSize(p.bNext, bSize) > most || batchSize(p.m*p.n, p.m*p.n) > most ||
		max(aPacked, bPacked) > most || p.batch > b.caps.maxGroups):
		h := p.batch / 2
		first.batch, second.batch = h, p.batch-h
		second.a, second.b, second.c = p.a.from(h*p.aNext), p.b.from(h*p.bNext), p.c.from(h*p.m*p.n)
	case (p.m*p.n > most || aSize > most && p.aRow >= p.aCol || aPacked > most || p.m > tiles[0].m*b.caps.maxGroups || long && p.m > longRows) && p.m > 1:
		h := half(p.m, 1)
		first.m, second.m = h, p.m-h
		second.a, second.c = p.a.from(h*p.aRow), p.c.from(h*p.n)
		if p.epilogue != nil {
			second.epilogue = p.epilogue.rows(h, p.n)
		}
	case (aSize > most || bSize > most || bPacked > most || p.k > b.mostTerms()) && p.k > 1 && p.epilogue == nil:
		h := half(p.k, 1)
		first.k, second.k, second.add = h, p.k-h, true
		second.a, second.b = p.a.from(h*p.aCol), p.b.from(h*p.bRow)
	default:
		return p, p, false
	}
	return first, second, true
}

// Shaders take so many turns for so many terms of a product.
const turnsEach, termsEach = 18, 16

// mostTerms is the largest k of one product. Products that an epilogue follows are not cut.
func (b *backend) mostTerms() int { return b.caps.allTurns() / turnsEach * termsEach }

// rows is the epilogue from row h on.
func (e *epilogue) rows(h, n int) *epilogue {
	rest := *e
	rest.first += h
	if e.saved.a != nil {
		rest.saved = e.saved.from(h * n)
	}
	if e.residual.a != nil {
		rest.residual = e.residual.from(h * n)
	}
	return &rest
}

// gemm records a product whose operands fit the range that a shader can bind.
func (b *backend) gemm(p product) {
	s := p.shader(shaders.Gemm, shaders.GemmEpilogue)
	spec := func(t tile) []uint32 {
		return p.spec(u(t.invocations()), u(t.m), u(t.n), u(t.tm), u(t.tn), word(p.aCol == 1), word(p.bCol == 1))
	}
	all := tiles[:]
	if p.only != nil {
		all = p.only
	}
	t, ok := p.choose(all, func(t tile) bool {
		return t.shared() <= b.caps.shared && t.invocations() <= b.caps.threads && b.builds(s, spec(t))
	})
	if !ok {
		t = all[0] // its dispatch says what is wrong
	}
	sizes := []uint32{u(p.m), u(p.n), u(p.k), u(p.aRow), u(p.aCol), u(p.bRow), u(p.bCol), u(p.aNext), u(p.bNext), u(p.m * p.n)}
	b.dispatchProduct(p, t, s, spec(t), sizes)
}

// shader is the one for a product with or without what follows it.
func (p product) shader(plain, followed *shaders.Shader) *shaders.Shader {
	if p.epilogue == nil {
		return plain
	}
	return followed
}

// spec is a shader's own constants and those that all shaders of products have: see shaders/include/product.glsl.
func (p product) spec(own ...uint32) []uint32 {
	own = append(own, word(p.add))
	if e := p.epilogue; e != nil {
		own = append(own, e.kind, word(e.bias.a != nil), word(e.gamma.a != nil), word(e.keep.a != nil), word(e.saved.a != nil))
	}
	return own
}

// dispatchProduct runs the shader of a product. sizes are the shader's own.
func (b *backend) dispatchProduct(p product, t tile, s *shaders.Shader, spec, sizes []uint32) {
	groups := cube(div(p.n, t.n), div(p.m, t.m), p.batch)
	b.weigh(p.flops())
	e := p.epilogue
	if e == nil {
		b.dispatch(s, spec, groups, sizes, p.c, p.a, p.b)
		return
	}
	// What is not there is bound to some element that is.
	there := func(a arg, n int) arg {
		if a.a == nil {
			return p.b.part(0, 1).read()
		}
		return a.part(0, n)
	}
	saved := p.c.part(0, 1) // the shader may write it, as far as drivers and validation know
	if e.saved.a != nil {
		saved = e.saved.part(0, p.m*p.n)
	}
	sizes = append(sizes, u(e.first), u(e.perSample))
	keeps := 1
	if e.keep.a != nil {
		keeps = int(e.keep.n)
	}
	b.dispatch(s, spec, groups, sizes, p.c, p.a, p.b,
		saved, there(e.bias, p.n), there(e.residual, p.m*p.n), there(e.gamma, p.n), there(e.keep, keeps))
}
