package kernel

import "math"

var vecGeneric = VecFuncs{
	Add: func(dst, a, b []float32) {
		for i, v := range a {
			dst[i] = v + b[i]
		}
	},
	Sub: func(dst, a, b []float32) {
		for i, v := range a {
			dst[i] = v - b[i]
		}
	},
	Mul: func(dst, a, b []float32) {
		for i, v := range a {
			dst[i] = v * b[i]
		}
	},
	Div: func(dst, a, b []float32) {
		for i, v := range a {
			dst[i] = v / b[i]
		}
	},
	Max: func(dst, a, b []float32) {
		for i, v := range a {
			dst[i] = max(v, b[i])
		}
	},
	Min: func(dst, a, b []float32) {
		for i, v := range a {
			dst[i] = min(v, b[i])
		}
	},
	AddScaled: func(dst, x []float32, a float32) {
		for i, v := range x {
			dst[i] += a * v
		}
	},
	Affine: func(dst, x []float32, scale, shift float32) {
		for i, v := range x {
			dst[i] = v*scale + shift
		}
	},

	Exp:       eachGeneric(func(x float32) float32 { return expf(x, 0) }),
	Log:       eachGeneric(logf),
	Tanh:      eachGeneric(tanhf),
	GELU:      eachGeneric(geluf),
	QuickGELU: eachGeneric(quickGELUf),
	Sigmoid:   eachGeneric(sigmoidf),
	ReLU:      eachGeneric(func(x float32) float32 { return max(x, 0) }),
	Sqrt:      eachGeneric(func(x float32) float32 { return float32(math.Sqrt(float64(x))) }),

	TanhGrad:      gradGeneric(func(y float32) float32 { return 1 - y*y }),
	GELUGrad:      gradGeneric(geluGradf),
	QuickGELUGrad: gradGeneric(quickGELUGradf),
	ReLUGrad: func(dx, dy, x []float32) {
		for i, v := range x {
			g := dy[i]
			if !(v > 0) {
				g = 0
			}
			dx[i] = g
		}
	},

	Sum:        sumGeneric,
	SumSquares: sumSquaresGeneric,
	Dot:        dotGeneric,
	MaxValue: func(x []float32) float32 {
		m := float32(math.Inf(-1))
		for _, v := range x {
			m = max(m, v)
		}
		return m
	},
	ExpSum: func(dst, x []float32, shift float32) float32 {
		for i, v := range x {
			dst[i] = expf(v-shift, 0)
		}
		return sumGeneric(dst[:len(x)])
	},
	SoftmaxGrad: func(dx, dy, y []float32) {
		dot := dotGeneric(dy, y)
		for i, v := range y {
			dx[i] = v * (dy[i] - dot)
		}
	},

	LayerNorm:          layerNormGeneric,
	LayerNormGrad:      layerNormGradGeneric,
	LayerNormParamGrad: layerNormParamGradGeneric,

	ScaleResidual: func(y, residual, branch, gamma []float32, keep float32) {
		for i, r := range residual {
			y[i] = r + keep*gamma[i]*branch[i]
		}
	},
	AdamW: adamWGeneric,

	ToBFloat16: func(dst []uint16, x []float32) {
		for i, v := range x {
			dst[i] = toBFloat16(v)
		}
	},
	FromBFloat16: func(dst []float32, x []uint16) {
		for i, v := range x {
			dst[i] = math.Float32frombits(uint32(v) << 16)
		}
	},
}

// eachGeneric applies f to each element.
func eachGeneric(f func(float32) float32) func(dst, x []float32) {
	return func(dst, x []float32) {
		for i, v := range x {
			dst[i] = f(v)
		}
	}
}

// gradGeneric multiplies dy by the derivative f.
func gradGeneric(f func(float32) float32) func(dx, dy, x []float32) {
	return func(dx, dy, x []float32) {
		for i, v := range x {
			dx[i] = dy[i] * f(v)
		}
	}
}

// toBFloat16 rounds to nearest even; a NaN keeps its top bits and becomes quiet.
func toBFloat16(v float32) uint16 {
	b := math.Float32bits(v)
	if v != v {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// The plain reductions add in float64, four sums at a time so that additions overlap.

func sumGeneric(x []float32) float32 {
	var s [4]float64
	n := len(x) &^ 3
	for i := 0; i < n; i += 4 {
		s[0] += float64(x[i])
		s[1] += float64(x[i+1])
		s[2] += float64(x[i+2])
		s[3] += float64(x[i+3])
	}
	for _, v := range x[n:] {
		s[0] += float64(v)
	}
	return float32((s[0] + s[1]) + (s[2] + s[3]))
}

func sumSquaresGeneric(x []float32) float64 {
	var s [4]float64
	n := len(x) &^ 3
	for i := 0; i < n; i += 4 {
		s[0] += float64(x[i]) * float64(x[i])
		s[1] += float64(x[i+1]) * float64(x[i+1])
		s[2] += float64(x[i+2]) * float64(x[i+2])
		s[3] += float64(x[i+3]) * float64(x[i+3])
	}
	for _, v := range x[n:] {
		s[0] += float64(v) * float64(v)
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

func dotGeneric(a, b []float32) float32 {
	var s [4]float64
	n := len(a) &^ 3
	for i := 0; i < n; i += 4 {
		s[0] += float64(a[i]) * float64(b[i])
		s[1] += float64(a[i+1]) * float64(b[i+1])
		s[2] += float64(a[i+2]) * float64(b[i+2])
		s[3] += float64(a[i+3]) * float64(b[i+3])
	}
	for i, v := range a[n:] {
		s[0] += float64(v) * float64(b[n+i])
	}
	return float32((s[0] + s[1]) + (s[2] + s[3]))
}

func layerNormGeneric(y, x, w, b []float32, eps float32) (mean, rstd float32) {
	n := float64(len(x))
	mean = float32(float64(sumGeneric(x)) / n)
	var s [2]float64
	for i, v := range x {
		d := float64(v - mean)
		s[i&1] += d * d
	}
	rstd = float32(1 / math.Sqrt((s[0]+s[1])/n+float64(eps)))
	for i, v := range x {
		y[i] = (v-mean)*rstd*w[i] + b[i]
	}
	return mean, rstd
}

// layerNormGradGeneric is dx = rstd·(g - (Σg + x̂·Σg·x̂)/n) with g = dy·w and x̂ = (x-mean)·rstd.
func layerNormGradGeneric(dx, dy, x, w []float32, mean, rstd float32, accumulate bool) {
	var sumG, sumGX float64
	for i, v := range x {
		g := float64(dy[i] * w[i])
		sumG += g
		sumGX += g * float64((v-mean)*rstd)
	}
	n := float64(len(x))
	meanG, meanGX := float32(sumG/n), float32(sumGX/n)
	for i, v := range x {
		// The conversion keeps compilers from fusing: the products must be those of the sum.
		d := rstd * (float32(dy[i]*w[i]) - meanG - (v-mean)*rstd*meanGX)
		if accumulate {
			d += dx[i]
		}
		dx[i] = d
	}
}

func layerNormParamGradGeneric(dw, db, dy, x []float32, mean, rstd float32) {
	for i, v := range x {
		dw[i] += dy[i] * ((v - mean) * rstd)
		db[i] += dy[i]
	}
}

func adamWGeneric(p, g, m, v []float32, step AdamWStep) {
	s := step.scalars()
	for i, grad := range g {
		grad *= s.gradScale
		m[i] = s.beta1*m[i] + s.rest1*grad
		v[i] = s.beta2*v[i] + s.rest2*(grad*grad)
		denominator := float32(math.Sqrt(float64(v[i])))*s.root + s.eps
		p[i] = p[i]*s.keep - s.rate*m[i]/denominator
	}
}
