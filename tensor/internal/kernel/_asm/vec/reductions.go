package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// fold leaves in lane 0 the combination of all lanes of v; width is the bytes of an element.
func (g *gen) fold(v V, width int, op func(...Op)) reg.Register {
	y := v
	if g.wide {
		y = YMM()
		VEXTRACTF64X4(U8(1), v, y)
		op(v.AsY(), y, y)
	}
	x, s := XMM(), XMM()
	VEXTRACTF128(U8(1), y.AsY(), x)
	op(y.AsX(), x, x)
	VPSHUFD(U8(0x4e), x, s)
	op(s, x, x)
	if width == 4 {
		VPSHUFD(U8(0xb1), x, s)
		op(s, x, x)
	}
	return x
}

// result folds each accumulator by addition and returns them.
func (g *gen) result(sums []V) {
	for i, s := range sums {
		VMOVSS(g.fold(s, 4, VADDPS), address(ReturnIndex(i)))
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
			low, high := g.reg(), g.reg()
			if g.wide {
				VCVTPS2PD(a.in[0].AsY(), low)
				upper := YMM()
				VEXTRACTF64X4(U8(1), a.in[0], upper)
				VCVTPS2PD(upper, high)
			} else {
				VCVTPS2PD(a.in[0].AsX(), low)
				upper := XMM()
				VEXTRACTF128(U8(1), a.in[0], upper)
				VCVTPS2PD(upper, high)
			}
			VFMADD231PD(low, low, a.sum[0])
			VFMADD231PD(high, high, a.sum[1])
			return nil
		},
		join: func(_ int, into, from V) { VADDPD(from, into, into) },
		finish: func(sums []V) {
			VADDPD(sums[1], sums[0], sums[0])
			VMOVSD(g.fold(sums[0], 8, VADDPD), address(ReturnIndex(0)))
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
			g.emit(maxps, a.sum[0], x, a.sum[0]) // a NaN in x gives the old sum
			return nil
		},
		join: func(i int, into, from V) {
			if i == 0 {
				g.maxInto(into, from)
			} else {
				g.maxUnsignedInto(into, from)
			}
		},
		finish: func(sums []V) {
			VMOVSS(g.fold(sums[0], 4, VMAXPS), address(ReturnIndex(0)))
			VMOVSS(g.fold(sums[1], 4, VPMAXUD), address(ReturnIndex(1)))
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
