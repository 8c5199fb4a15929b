package kernel

// VecFuncs holds the slice kernels of one level. Unless a comment says otherwise all
// slices of a call have the same length, dst may be the same slice as an input but may
// not overlap it partly, and results of reductions have a fixed order that depends on
// the length alone.
type VecFuncs struct {
	Add, Sub, Mul, Div, Max, Min func(dst, a, b []float32)

	AddScaled func(dst, x []float32, a float32)            // dst[i] += a*x[i]
	MulAdd    func(dst, a, b []float32)                    // dst[i] += a[i]*b[i]
	Affine    func(dst, x []float32, scale, shift float32) // dst[i] = x[i]*scale + shift

	Exp, Log, Tanh, Erf, GELU, QuickGELU, Sigmoid, ReLU, Sqrt func(dst, x []float32)

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
// with Correct1 = 1-Beta1^t and Correct2 = 1-Beta2^t at step t.
type AdamWStep struct {
	LR, Decay, Beta1, Beta2, Eps float32
	Correct1, Correct2           float32
	GradScale                    float32
}
