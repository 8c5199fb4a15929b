//go:build (amd64 || arm64) && !purego

package kernel

import (
	"fmt"
	"math"
)

// vecAssembly holds the assembly functions of one level. They trust that the lengths agree;
// the functions that funcs wraps around them check it.
type vecAssembly struct {
	lanes int // float32 in a vector

	add, sub, mul, div, max, min func(dst, a, b []float32)
	addScaled                    func(dst, x []float32, a float32)
	affine                       func(dst, x []float32, scale, shift float32)
	scaleResidual                func(y, residual, branch, gamma []float32, keep float32)

	exp, log, tanh, gelu, quickGELU, sigmoid, relu, sqrt func(dst, x []float32)
	tanhGrad, geluGrad, quickGELUGrad, reluGrad          func(dx, dy, x []float32)

	sum         func(x []float32) float32
	sumSquares  func(x []float32) float64
	dot         func(a, b []float32) float32
	maxValue    func(x []float32) (float32, uint32)
	expSum      func(dst, x []float32, shift float32) float32
	softmaxGrad func(dx, dy, y []float32, dot float32)

	centredSquares     func(x []float32, mean float32) float32
	normalise          func(y, x, w, b []float32, mean, rstd float32)
	layerNormSums      func(dy, x, w []float32, mean, rstd float32) (sumG, sumGX float32)
	layerNormGrad      func(dx, dy, x, w []float32, mean, rstd, meanG, meanGX float32)
	layerNormGradAdd   func(dx, dy, x, w []float32, mean, rstd, meanG, meanGX float32)
	layerNormParamGrad func(dw, db, dy, x []float32, mean, rstd float32)

	adamW        func(p, m, v, g []float32, s *[9]float32)
	toBFloat16   func(dst []uint16, x []float32)
	fromBFloat16 func(dst []float32, x []uint16)
}

func (a vecAssembly) funcs() VecFuncs {
	return VecFuncs{
		Add: checked3("Add", a.add),
		Sub: checked3("Sub", a.sub),
		Mul: checked3("Mul", a.mul),
		Div: checked3("Div", a.div),
		Max: checked3("Max", a.max),
		Min: checked3("Min", a.min),
		AddScaled: func(dst, x []float32, scale float32) {
			sameLength("AddScaled", len(dst), len(x))
			a.addScaled(dst, x, scale)
		},
		Affine: func(dst, x []float32, scale, shift float32) {
			sameLength("Affine", len(dst), len(x))
			a.affine(dst, x, scale, shift)
		},

		Exp:       checked2("Exp", a.exp),
		Log:       checked2("Log", a.log),
		Tanh:      checked2("Tanh", a.tanh),
		GELU:      checked2("GELU", a.gelu),
		QuickGELU: checked2("QuickGELU", a.quickGELU),
		Sigmoid:   checked2("Sigmoid", a.sigmoid),
		ReLU:      checked2("ReLU", a.relu),
		Sqrt:      checked2("Sqrt", a.sqrt),

		TanhGrad:      checked3("TanhGrad", a.tanhGrad),
		GELUGrad:      checked3("GELUGrad", a.geluGrad),
		QuickGELUGrad: checked3("QuickGELUGrad", a.quickGELUGrad),
		ReLUGrad:      checked3("ReLUGrad", a.reluGrad),

		Sum:        a.sum,
		SumSquares: a.sumSquares,
		Dot: func(x, y []float32) float32 {
			sameLength("Dot", len(x), len(y))
			return a.dot(x, y)
		},
		MaxValue: func(x []float32) float32 {
			m, magnitude := a.maxValue(x)
			if magnitude > math.Float32bits(float32(math.Inf(1))) {
				return float32(math.NaN())
			}
			return m
		},
		ExpSum: func(dst, x []float32, shift float32) float32 {
			sameLength("ExpSum", len(dst), len(x))
			return a.expSum(dst, x, shift)
		},
		SoftmaxGrad: func(dx, dy, y []float32) {
			sameLength("SoftmaxGrad", len(dx), len(dy), len(y))
			a.softmaxGrad(dx, dy, y, a.dot(dy, y))
		},

		LayerNorm:     a.layerNormRow,
		LayerNormGrad: a.layerNormGradRow,
		LayerNormParamGrad: func(dw, db, dy, x []float32, mean, rstd float32) {
			sameLength("LayerNormParamGrad", len(dw), len(db), len(dy), len(x))
			a.layerNormParamGrad(dw, db, dy, x, mean, rstd)
		},
		ScaleResidual: func(y, residual, branch, gamma []float32, keep float32) {
			sameLength("ScaleResidual", len(y), len(residual), len(branch), len(gamma))
			a.scaleResidual(y, residual, branch, gamma, keep)
		},
		AdamW: func(p, g, m, v []float32, step AdamWStep) {
			sameLength("AdamW", len(p), len(g), len(m), len(v))
			s := step.scalars()
			a.adamW(p, m, v, g, &[9]float32{s.gradScale, s.beta1, s.rest1, s.beta2, s.rest2, s.keep, s.rate, s.root, s.eps})
		},

		ToBFloat16: func(dst []uint16, x []float32) {
			sameLength("ToBFloat16", len(dst), len(x))
			n := len(x) - len(x)%a.lanes
			a.toBFloat16(dst[:n], x[:n])
			vecGeneric.ToBFloat16(dst[n:], x[n:])
		},
		FromBFloat16: func(dst []float32, x []uint16) {
			sameLength("FromBFloat16", len(dst), len(x))
			n := len(x) - len(x)%a.lanes
			a.fromBFloat16(dst[:n], x[:n])
			vecGeneric.FromBFloat16(dst[n:], x[n:])
		},
	}
}

func (a vecAssembly) layerNormRow(y, x, w, b []float32, eps float32) (mean, rstd float32) {
	sameLength("LayerNorm", len(y), len(x), len(w), len(b))
	n := float64(len(x))
	mean = float32(float64(a.sum(x)) / n)
	variance := float64(a.centredSquares(x, mean)) / n
	rstd = float32(1 / math.Sqrt(variance+float64(eps)))
	a.normalise(y, x, w, b, mean, rstd)
	return mean, rstd
}

func (a vecAssembly) layerNormGradRow(dx, dy, x, w []float32, mean, rstd float32, accumulate bool) {
	sameLength("LayerNormGrad", len(dx), len(dy), len(x), len(w))
	sumG, sumGX := a.layerNormSums(dy, x, w, mean, rstd)
	n := float32(len(x))
	if accumulate {
		a.layerNormGradAdd(dx, dy, x, w, mean, rstd, sumG/n, sumGX/n)
	} else {
		a.layerNormGrad(dx, dy, x, w, mean, rstd, sumG/n, sumGX/n)
	}
}

func checked2(op string, f func(dst, x []float32)) func(dst, x []float32) {
	return func(dst, x []float32) {
		sameLength(op, len(dst), len(x))
		f(dst, x)
	}
}

func checked3(op string, f func(dst, a, b []float32)) func(dst, a, b []float32) {
	return func(dst, a, b []float32) {
		sameLength(op, len(dst), len(a), len(b))
		f(dst, a, b)
	}
}

// sameLength panics unless all lengths equal the first; the assembly trusts them.
func sameLength(op string, n int, others ...int) {
	for _, m := range others {
		if m != n {
			panic(fmt.Sprintf("kernel: %s: slices of %d and %d elements", op, n, m))
		}
	}
}
