package main

// elementwise writes the kernels that do little more than move memory.
func (g *gen) elementwise() {
	binary := func(name, doc string, f func(a, b V) V) {
		g.emitLoop(loop{
			name: "vec" + name, doc: doc,
			out: []string{"dst"}, in: []string{"a", "b"}, vectors: 4,
			body: func(a args) []V { return []V{f(a.in[0], a.in[1])} },
		})
	}
	binary("Add", "VecFuncs.Add.", func(a, b V) V { return g.add(a, b) })
	binary("Sub", "VecFuncs.Sub.", func(a, b V) V { return g.sub(a, b) })
	binary("Mul", "VecFuncs.Mul.", func(a, b V) V { return g.mul(a, b) })
	binary("Div", "VecFuncs.Div.", func(a, b V) V { return g.div(a, b) })
	binary("Max", "VecFuncs.Max.", g.maxOrNaN)
	binary("Min", "VecFuncs.Min.", g.minOrNaN)

	g.emitLoop(loop{
		name: "vecAddScaled", doc: "VecFuncs.AddScaled.",
		out: []string{"dst"}, in: []string{"dst", "x"}, scalars: []string{"a"}, vectors: 4,
		body: func(a args) []V {
			g.addProduct(a.in[0], a.in[1], a.scalar[0])
			return a.in[:1]
		},
	})
	g.emitLoop(loop{
		name: "vecAffine", doc: "VecFuncs.Affine.",
		out: []string{"dst"}, in: []string{"x"}, scalars: []string{"scale", "shift"}, vectors: 4,
		body: func(a args) []V {
			g.mulThenAdd(a.in[0], a.scalar[0], a.scalar[1])
			return a.in
		},
	})
	g.emitLoop(loop{
		name: "vecScaleResidual", doc: "VecFuncs.ScaleResidual.",
		out: []string{"y"}, in: []string{"residual", "branch", "gamma"}, scalars: []string{"keep"}, vectors: 4,
		body: func(a args) []V {
			g.addProduct(a.in[0], g.mul(a.in[2], a.scalar[0]), a.in[1])
			return a.in[:1]
		},
	})
	g.emitLoop(loop{
		name: "vecAdamW", doc: "adamWGeneric, with the fields of adamWScalars in s.",
		out: []string{"p", "m", "v"}, in: []string{"p", "m", "v", "g"}, words: "s", vectors: 2,
		body: func(a args) []V {
			p, m, v, grad := a.in[0], a.in[1], a.in[2], a.in[3]
			grad = g.mul(grad, a.word(0))
			m = g.mul(m, a.word(1))
			g.addProduct(m, grad, a.word(2))
			v = g.mul(v, a.word(3))
			g.addProduct(v, g.mul(grad, grad), a.word(4))
			denominator := g.sqrt(v)
			g.mulThenAdd(denominator, g.fill(a.word(7)), a.word(8))
			step := g.div(g.mul(m, a.word(6)), denominator)
			return []V{g.sub(g.mul(p, a.word(5)), step), m, v}
		},
	})
}

// bfloat16 writes the conversions, for whole vectors; the rest is done in Go.
func (g *gen) bfloat16() {
	shiftLeft := func(v V, n int) V { return g.shift(left, n, v) }
	shiftRight := func(v V, n int) V { return g.shift(right, n, v) }
	g.emitLoop(loop{
		name: "vecToBFloat16", doc: "VecFuncs.ToBFloat16 for whole vectors.",
		out: []string{"dst"}, in: []string{"x"}, narrow: "dst", vectors: 2,
		body: func(a args) []V {
			x := a.in[0]
			top := shiftRight(x, 16)
			rounded := g.op(addI, x, g.bits(0x7fff))
			rounded = g.op(addI, rounded, g.and(top, g.bits(1)))
			quiet := g.or(top, g.bits(0x40))
			return []V{g.choose(g.compare(unordered, x, x), quiet, shiftRight(rounded, 16))}
		},
	})
	g.emitLoop(loop{
		name: "vecFromBFloat16", doc: "VecFuncs.FromBFloat16 for whole vectors.",
		out: []string{"dst"}, in: []string{"x"}, narrow: "x", vectors: 2,
		body: func(a args) []V { return []V{shiftLeft(a.in[0], 16)} },
	})
}
