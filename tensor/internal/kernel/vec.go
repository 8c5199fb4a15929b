package kernel

import "math"

// VecFuncs are the slice kernels of one level. Unless a comment says otherwise, all
// slices of a call have the same length. dst may be the same slice as an input, but must
// not overlap it partly. The order of reductions depends on the length alone.
type VecFuncs struct {
	Add, Sub, Mul, Div, Max, Min func(dst, a, b []float32) // Max and Min give NaN when either is NaN

	AddScaled func(dst, x []float32, a float32)            // dst[i] += a*x[i]
	Affine    func(dst, x []float32, scale, shift float32) // dst[i] = x[i]*scale + shift

	// Largest errors over all float32 inputs, on every level, in units in the last place (ULP) of
	// the exact result, including denormal results: Exp, Log, Tanh 2; Sigmoid 3; GELU 7, also for
	// negative x. QuickGELU and the gradients of both GELUs: 2 ULP or 5e-7 absolute.
	// Exp is 0 below -104 and +Inf above 88.73; Log is NaN for negative x and -Inf at 0;
	// GELU, QuickGELU and their gradients have their limits at ±Inf. NaN gives NaN everywhere.
	Exp, Log, Tanh, GELU, QuickGELU, Sigmoid, ReLU, Sqrt func(dst, x []float32)

	TanhGrad      func(dx, dy, y []float32) // dx[i] = dy[i]*(1-y[i]²)
	GELUGrad      func(dx, dy, x []float32) // dx[i] = dy[i]*gelu'(x[i]), exact erf form
	QuickGELUGrad func(dx, dy, x []float32)
	ReLUGrad      func(dx, dy, x []float32)

	Sum        func(x []float32) float32
	SumSquares func(x []float32) float64 // accumulated in float64; not finite when any x is not
	Dot        func(a, b []float32) float32
	MaxValue   func(x []float32) float32 // -Inf when empty; NaN when any x is NaN

	ExpSum      func(dst, x []float32, shift float32) float32 // dst[i] = exp(x[i]-shift); returns the sum of dst
	SoftmaxGrad func(dx, dy, y []float32)                     // dx[i] = y[i]*(dy[i] - Σ dy·y)

	// LayerNorm: y = (x-mean)*rstd*w + b over one row, rstd = 1/√(var+eps), biased variance, two passes.
	LayerNorm func(y, x, w, b []float32, eps float32) (mean, rstd float32)
	// LayerNormGrad is the gradient with respect to one row x; with accumulate it is added to dx.
	LayerNormGrad func(dx, dy, x, w []float32, mean, rstd float32, accumulate bool)
	// LayerNormParamGrad: dw += dy*(x-mean)*rstd, db += dy.
	LayerNormParamGrad func(dw, db, dy, x []float32, mean, rstd float32)

	// ScaleResidual: y[i] = residual[i] + keep*gamma[i]*branch[i].
	ScaleResidual func(y, residual, branch, gamma []float32, keep float32)

	AdamW func(p, g, m, v []float32, s AdamWStep)

	ToBFloat16   func(dst []uint16, x []float32) // round to nearest even; NaN stays NaN
	FromBFloat16 func(dst []float32, x []uint16)
}

// AdamWStep holds the scalars of one decoupled AdamW update:
//
//	g' = g*GradScale; m = Beta1*m + (1-Beta1)*g'; v = Beta2*v + (1-Beta2)*g'²
//	p = p*(1 - LR*Decay) - LR/Correct1 * m / (√v/√Correct2 + Eps)
//
// with Correct1 = 1-Beta1^t and Correct2 = 1-Beta2^t at step t. They are float64 because
// 1-Beta2 of a Beta2 rounded to float32 is off by 1e-5 already.
type AdamWStep struct {
	LR, Decay, Beta1, Beta2, Eps float64
	Correct1, Correct2           float64
	GradScale                    float32
}

// adamWScalars are the float32 factors that the loop needs, in the order the assembly reads them.
type adamWScalars struct {
	gradScale, beta1, rest1, beta2, rest2 float32
	keep                                  float32 // 1 - LR*Decay
	rate                                  float32 // LR/Correct1
	root                                  float32 // 1/√Correct2
	eps                                   float32
}

func (s AdamWStep) scalars() adamWScalars {
	return adamWScalars{
		gradScale: s.GradScale,
		beta1:     float32(s.Beta1),
		rest1:     float32(1 - s.Beta1),
		beta2:     float32(s.Beta2),
		rest2:     float32(1 - s.Beta2),
		keep:      float32(1 - s.LR*s.Decay),
		rate:      float32(s.LR / s.Correct1),
		root:      float32(1 / math.Sqrt(s.Correct2)),
		eps:       float32(s.Eps),
	}
}
