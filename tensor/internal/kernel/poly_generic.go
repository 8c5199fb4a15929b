package kernel

import "math"

// The scalar functions below are the plain twins of the assembly: the same steps with the same
// constants. The assembly fuses multiply-adds and this code may or may not, as the compiler sees
// fit, so last bits differ between levels; the stated bounds hold for all.

// expf is exp(x+low), where low is a small correction of x (0 where there is none).
func expf(x, low float32) float32 {
	if x != x {
		return x
	}
	x = min(max(x, expLowest), expHighest)
	n := float32(float32(x*log2E)+roundMagic) - roundMagic
	r := x - float32(n*ln2High) - float32(n*ln2Low) + low
	p := ((((exp4*r+exp3)*r+exp2)*r+exp1)*r + exp0)
	p = 1 + (r + r*r*p)
	// Two factors, so that results below the normal range are rounded once, by the last product.
	k := int32(n)
	half := k >> 1
	return p * pow2(half) * pow2(k-half)
}

// pow2 is 2^k for -126 <= k <= 127.
func pow2(k int32) float32 { return math.Float32frombits(uint32(k+127) << 23) }

func logf(x float32) float32 {
	switch {
	case x != x || x < 0:
		return float32(math.NaN())
	case x == 0:
		return float32(math.Inf(-1))
	case x > math.MaxFloat32:
		return x
	}
	e := float32(0)
	if x < 0x1p-126 {
		x *= logDenormScale
		e = -23
	}
	k := int32(math.Float32bits(x)-logSqrtHalfBits) >> 23
	e += float32(k)
	f := math.Float32frombits(math.Float32bits(x)-uint32(k)<<23) - 1
	p := log8*f + log7
	p = p*f + log6
	p = p*f + log5
	p = p*f + log4
	p = p*f + log3
	p = p*f + log2
	p = p*f + log1
	p = p*f + log0
	s := f * f
	y := float32(f*s)*p + float32(e*ln2Low)
	y -= 0.5 * s
	return (f + y) + float32(e*ln2High)
}

func tanhf(x float32) float32 {
	a := abs(x)
	if a < tanhSmall {
		s := x * x
		p := (((tanh4*s+tanh3)*s+tanh2)*s+tanh1)*s + tanh0
		return x + x*s*p
	}
	if a > tanhLarge {
		a = tanhLarge
	}
	return withSign(1-2/(expf(2*a, 0)+1), x)
}

// normalTail returns, for 0 <= a <= tailLargest, e = exp(-a²/2) and r with 1-Φ(a) = e·r.
// The product a² is kept to twice the precision, for exp magnifies what it loses.
func normalTail(a float32) (e, r float32) {
	square := float64(a) * float64(a)
	s := float32(square)
	e = expf(-0.5*s, -0.5*float32(square-float64(s)))
	q := 1 / (a + tailCentre)
	u := (a - tailCentre) * q
	p := tail10*u + tail9
	p = p*u + tail8
	p = p*u + tail7
	p = p*u + tail6
	p = p*u + tail5
	p = p*u + tail4
	p = p*u + tail3
	p = p*u + tail2
	p = p*u + tail1
	p = p*u + tail0
	return e, p * q
}

// geluf is x·Φ(x) = max(x,0) - |x|·(1-Φ(|x|)), which loses nothing to cancellation on either side.
func geluf(x float32) float32 {
	a := min(abs(x), tailLargest)
	e, r := normalTail(a)
	return max(x, 0) - float32(a*r)*e
}

// geluGradf is Φ(x) + x·φ(x).
func geluGradf(x float32) float32 {
	a := min(abs(x), tailLargest)
	e, r := normalTail(a)
	// For negative x: 1-Φ(a) - a·φ(a); for the others one less that.
	g := e * (r - float32(a*invSqrt2Pi))
	if x < 0 {
		return g
	}
	return 1 - g
}

// sigmoidParts returns e = exp(-|z|) and d = 1/(1+e): the sigmoid of |z| is d, of -|z| is e·d.
func sigmoidParts(z float32) (e, d float32) {
	e = expf(-min(abs(z), sigmoidLargest), 0)
	return e, 1 / (1 + e)
}

func sigmoidf(z float32) float32 {
	e, d := sigmoidParts(z)
	if z < 0 {
		return e * d
	}
	return d
}

func quickGELUf(x float32) float32 {
	x = max(x, -sigmoidLargest) // so that -Inf gives 0
	return x * sigmoidf(quickGELU*x)
}

// quickGELUGradf is s + z·s·(1-s) with z = 1.702x and s = sigmoid(z); s·(1-s) = e·d².
func quickGELUGradf(x float32) float32 {
	z := min(max(quickGELU*x, -sigmoidLargest), sigmoidLargest)
	e, d := sigmoidParts(z)
	s := d
	if z < 0 {
		s = e * d
	}
	return s + z*(e*d*d)
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// withSign is the magnitude of v with the sign of x.
func withSign(v, x float32) float32 {
	return math.Float32frombits(math.Float32bits(v)&^(1<<31) | math.Float32bits(x)&(1<<31))
}
