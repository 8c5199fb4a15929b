package main

// result folds each accumulator by addition and returns them.
func (g *gen) result(sums []V) {
	for i, s := range sums {
		g.give(i, addition, s)
	}
}

func (g *gen) reductions() {
	g.emitLoop(loop{
		name: "vecSum", doc: "VecFuncs.Sum.",
		in: []string{"x"}, vectors: 4, sums: 1, returns: "float32",
		body:   func(a args) []V { g.addInto(a.sum[0], a.in[0]); return nil },
		finish: g.result,
	})
	g.emitLoop(loop{
		name: "vecDot", doc: "VecFuncs.Dot.",
		in: []string{"a", "b"}, vectors: 4, sums: 1, returns: "float32",
		body:   func(a args) []V { g.addProduct(a.sum[0], a.in[0], a.in[1]); return nil },
		finish: g.result,
	})
	g.emitLoop(loop{
		name: "vecSumSquares", doc: "VecFuncs.SumSquares.",
		in: []string{"x"}, vectors: 4, sums: 2, returns: "float64",
		body: func(a args) []V {
			g.addSquares64(a.sum[0], a.sum[1], a.in[0])
			return nil
		},
		join: func(_ int, into, from V) { g.add64Into(into, from) },
		finish: func(sums []V) {
			g.add64Into(sums[0], sums[1])
			g.give(0, addition64, sums[0])
		},
	})
	// A NaN shows in the largest magnitude read as an unsigned integer: it is above that of infinity.
	g.emitLoop(loop{
		name: "vecMaxValue", doc: "the largest element that is not NaN, and the bits of the largest magnitude, where NaN counts as largest.",
		in: []string{"x"}, vectors: 4, sums: 2, returns: "(float32, uint32)",
		start: func(i int) V {
			if i == 0 {
				return g.fill(g.num(-infinity))
			}
			return g.zero()
		},
		body: func(a args) []V {
			x := g.used(a.in[0], a.sum[0])
			g.maxUnsignedInto(a.sum[1], g.abs(a.in[0]))
			g.maxNumberInto(a.sum[0], x)
			return nil
		},
		join: func(i int, into, from V) {
			if i == 0 {
				g.maxNumberInto(into, from)
			} else {
				g.maxUnsignedInto(into, from)
			}
		},
		finish: func(sums []V) {
			g.give(0, maximum, sums[0])
			g.give(1, maximumUnsigned, sums[1])
		},
	})
	g.emitLoop(loop{
		name: "vecExpSum", doc: "VecFuncs.ExpSum.",
		out: []string{"dst"}, in: []string{"x"}, scalars: []string{"shift"}, vectors: 2, sums: 1, returns: "float32",
		body: func(a args) []V {
			e := g.exp(g.sub(a.in[0], a.scalar[0]), nil)
			g.addInto(a.sum[0], g.used(e, g.zero()))
			return []V{e}
		},
		finish: g.result,
	})
	g.emitLoop(loop{
		name: "vecSoftmaxGrad", doc: "the second pass of VecFuncs.SoftmaxGrad, with the sum in dot.",
		out: []string{"dx"}, in: []string{"dy", "y"}, scalars: []string{"dot"}, vectors: 4,
		body: func(a args) []V { return []V{g.mul(g.sub(a.in[0], a.scalar[0]), a.in[1])} },
	})
}

func (g *gen) layerNorm() {
	g.emitLoop(loop{
		name: "vecCentredSquares", doc: "the sum of (x[i]-mean)².",
		in: []string{"x"}, scalars: []string{"mean"}, vectors: 4, sums: 1, returns: "float32",
		body: func(a args) []V {
			d := g.used(g.sub(a.in[0], a.scalar[0]), g.zero())
			g.addProduct(a.sum[0], d, d)
			return nil
		},
		finish: g.result,
	})
	g.emitLoop(loop{
		name: "vecNormalise", doc: "y[i] = (x[i]-mean)*rstd*w[i] + b[i].",
		out: []string{"y"}, in: []string{"x", "w", "b"}, scalars: []string{"mean", "rstd"}, vectors: 2,
		body: func(a args) []V {
			d := g.mul(g.sub(a.in[0], a.scalar[0]), a.scalar[1])
			g.mulThenAdd(d, a.in[1], a.in[2])
			return []V{d}
		},
	})
	// g = dy·w and x̂ = (x-mean)·rstd; a lane beyond the end has dy = 0 and adds nothing.
	parts := func(a args) (grad, hat V) {
		return g.mul(a.in[0], a.in[2]), g.mul(g.sub(a.in[1], a.scalar[0]), a.scalar[1])
	}
	g.emitLoop(loop{
		name: "vecLayerNormSums", doc: "the two sums of layerNormGradGeneric.",
		in: []string{"dy", "x", "w"}, scalars: []string{"mean", "rstd"}, vectors: 4, sums: 2, returns: "(float32, float32)",
		body: func(a args) []V {
			grad, hat := parts(a)
			g.addInto(a.sum[0], grad)
			g.addProduct(a.sum[1], grad, hat)
			return nil
		},
		finish: g.result,
	})
	input := func(a args) V {
		grad, hat := parts(a)
		d := g.sub(grad, a.scalar[2])
		g.lessProduct(d, hat, a.scalar[3])
		return d
	}
	scalars := []string{"mean", "rstd", "meanG", "meanGX"}
	g.emitLoop(loop{
		name: "vecLayerNormGrad", doc: "the second pass of layerNormGradGeneric.",
		out: []string{"dx"}, in: []string{"dy", "x", "w"}, scalars: scalars, vectors: 2,
		body: func(a args) []V { return []V{g.mul(input(a), a.scalar[1])} },
	})
	g.emitLoop(loop{
		name: "vecLayerNormGradAdd", doc: "the second pass of layerNormGradGeneric, added to dx.",
		out: []string{"dx"}, in: []string{"dy", "x", "w", "dx"}, scalars: scalars, vectors: 2,
		body: func(a args) []V {
			g.addProduct(a.in[3], input(a), a.scalar[1])
			return a.in[3:]
		},
	})
	g.emitLoop(loop{
		name: "vecLayerNormParamGrad", doc: "VecFuncs.LayerNormParamGrad.",
		out: []string{"dw", "db"}, in: []string{"dw", "db", "dy", "x"}, scalars: []string{"mean", "rstd"}, vectors: 2,
		body: func(a args) []V {
			g.addProduct(a.in[0], g.mul(g.sub(a.in[3], a.scalar[0]), a.scalar[1]), a.in[2])
			g.addInto(a.in[1], a.in[2])
			return a.in[:2]
		},
	})
}
