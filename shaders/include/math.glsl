// exp, log, tanh, erf, GELU and sigmoid as polynomials: the coefficients and steps of tensor/internal/kernel (poly.go, poly_generic.go), which
// tells where they come from. The built-in functions of drivers are not exact enough for the reference numbers. Include common.glsl first.

// Comparison with itself may be optimised away, so these look at the bits.
bool isNaN(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }

float nan() { return uintBitsToFloat(0x7fc00000u); }
float infinity() { return uintBitsToFloat(0x7f800000u); }

// pow2 is 2^k for -126 <= k <= 127.
float pow2(int k) { return uintBitsToFloat(uint(k + 127) << 23); }

// withSign is the magnitude of v with the sign of x.
float withSign(float v, float x) { return uintBitsToFloat((floatBitsToUint(v) & 0x7fffffffu) | (floatBitsToUint(x) & 0x80000000u)); }

// maxNaN and minNaN are NaN when an operand is.
float maxNaN(float a, float b) { return isNaN(a) ? a : isNaN(b) ? b : max(a, b); }
float minNaN(float a, float b) { return isNaN(a) ? a : isNaN(b) ? b : min(a, b); }

// expSum is exp(x + low), where low is a small correction of x.
float expSum(float x, float low) {
	if (isNaN(x)) return x;
	x = clamp(x, -104.0, 89.0);
	precise float scaled = x * 1.44269504089;
	precise float shifted = scaled + 12582912.0;
	precise float n = shifted - 12582912.0;
	precise float high = n * 0.693359375;
	precise float rest = x - high;
	precise float r = fma(n, 0.000212194440055, rest) + low;
	float p = 0.00138364534;
	p = fma(p, r, 0.00836913195);
	p = fma(p, r, 0.0416681059);
	p = fma(p, r, 0.166665167);
	p = fma(p, r, 0.49999994);
	precise float y = fma(r * r, p, r);
	y = 1.0 + y;
	int k = int(n), half_ = k >> 1;
	return y * pow2(half_) * pow2(k - half_);
}

float expOf(float x) { return expSum(x, 0.0); }

float logOf(float x) {
	uint bits = floatBitsToUint(x);
	if (isNaN(x) || (bits >> 31 == 1u && bits != 0x80000000u)) return nan();
	if ((bits & 0x7fffffffu) == 0u) return -infinity();
	if (bits == 0x7f800000u) return x;
	float e = 0.0;
	if (bits < 0x00800000u) {
		// A driver may take x for 0 in products, so a denormal is normalised by its bits.
		int shift = 23 - findMSB(bits);
		bits = (bits << shift & 0x007fffffu) | 0x00800000u;
		e = float(-shift);
	}
	int k = int(bits - 0x3f3504f3u) >> 23;
	e += float(k);
	float f = uintBitsToFloat(bits - (uint(k) << 23)) - 1.0;
	float p = 0.0675380304;
	p = fma(p, f, -0.116599008);
	p = fma(p, f, 0.118769325);
	p = fma(p, f, -0.124071814);
	p = fma(p, f, 0.142211258);
	p = fma(p, f, -0.16667974);
	p = fma(p, f, 0.200020492);
	p = fma(p, f, -0.250000089);
	p = fma(p, f, 0.333333135);
	precise float s = f * f;
	precise float y = fma(f * s, p, e * -2.12194440055e-4);
	y = fma(-0.5, s, y);
	precise float sum = f + y;
	return fma(e, 0.693359375, sum);
}

// powOf is x to the power of y, with the special cases of Go's math.Pow.
float powOf(float x, float y) {
	if (y == 0.0 || x == 1.0) return 1.0;
	if (isNaN(x) || isNaN(y)) return nan();
	float a = abs(x);
	float r = a == 1.0 ? 1.0 : expOf(y * logOf(a));
	bool negative = floatBitsToUint(x) >> 31 == 1u;
	if (!negative || abs(y) == infinity()) return r;
	if (floor(y) != y) return a == 0.0 || a == infinity() ? r : nan();
	bool odd = abs(y) < 16777216.0 && (int(y) & 1) == 1; // larger ones are even
	return odd ? -r : r;
}

float tanhOf(float x) {
	float a = abs(x);
	if (a < 0.625) {
		float s = x * x;
		float p = -0.00558507536;
		p = fma(p, s, 0.0205334313);
		p = fma(p, s, -0.0537079871);
		p = fma(p, s, 0.13331072);
		p = fma(p, s, -0.333332688);
		return fma(x * s, p, x);
	}
	if (isNaN(x)) return x;
	return withSign(1.0 - 2.0 / (expOf(2.0 * min(a, 10.0)) + 1.0), x);
}

// normalTail sets e = exp(-a²/2) and r with 1-Φ(a) = e·r, for 0 <= a <= 14.75. The square is kept to twice the precision.
void normalTail(float a, out float e, out float r) {
	precise float s = a * a;
	// The square's rounding error, by halves of a whose products are exact: a driver's fma may round twice.
	precise float c = 4097.0 * a;
	precise float over = c - a;
	precise float high = c - over;
	precise float rest = a - high;
	precise float low = ((high * high - s) + 2.0 * high * rest) + rest * rest;
	e = expSum(-0.5 * s, -0.5 * low);
	float q = 1.0 / (a + 4.0);
	float v = (a - 4.0) * q;
	float p = -4.55530753e-05;
	p = fma(p, v, -0.00022036377);
	p = fma(p, v, 0.000171513981);
	p = fma(p, v, 0.00163612142);
	p = fma(p, v, -0.00349186617);
	p = fma(p, v, -0.00754273823);
	p = fma(p, v, 0.0603982247);
	p = fma(p, v, -0.186521649);
	p = fma(p, v, 0.387137264);
	p = fma(p, v, -0.607896626);
	p = fma(p, v, 0.755285144);
	r = p * q;
}

float geluOf(float x) {
	if (isNaN(x)) return x;
	float a = min(abs(x), 14.75), e, r;
	normalTail(a, e, r);
	return fma(-(a * r), e, max(x, 0.0));
}

// geluGrad is Φ(x) + x·φ(x).
float geluGrad(float x) {
	if (isNaN(x)) return x;
	float a = min(abs(x), 14.75), e, r;
	normalTail(a, e, r);
	float g = e * (r - a * 0.398942280401);
	return x < 0.0 ? g : 1.0 - g;
}

// sigmoidParts sets e = exp(-|z|) and d = 1/(1+e): the sigmoid of |z| is d, of -|z| is e·d.
void sigmoidParts(float z, out float e, out float d) {
	e = expOf(-min(abs(z), 105.0));
	d = 1.0 / (1.0 + e);
}

float sigmoidOf(float z) {
	if (isNaN(z)) return z;
	float e, d;
	sigmoidParts(z, e, d);
	return z < 0.0 ? e * d : d;
}

float quickGELU(float x) {
	if (isNaN(x)) return x;
	x = max(x, -105.0); // so that -Inf gives 0
	return x * sigmoidOf(1.702 * x);
}

// quickGELUGrad is s + z·s·(1-s) with z = 1.702x and s = sigmoid(z).
float quickGELUGrad(float x) {
	if (isNaN(x)) return x;
	float z = clamp(1.702 * x, -105.0, 105.0), e, d;
	sigmoidParts(z, e, d);
	float s = z < 0.0 ? e * d : d;
	return fma(z, e * d * d, s);
}
