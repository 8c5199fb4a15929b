// A factor of a product at 16 bits, as half_pack.comp makes it from a matrix: A [M, K] as it is, B [K, N] transposed, so that both have rows
// along k. Each row is multiplied by a power of two that brings its largest magnitude to [2^14, 2^15), within reach of float16: most
// of its elements keep float16's 11 bits, and none overflows. Rows are padded with zeros to a multiple of a step of k, and there are rows of
// zeros up to a multiple of a tile, so readers have no edges to look after.
//
// The memory is [batch, rows, depth] float16, then the exponents [batch, rows] that give the rows their magnitudes back.
// Include math.glsl first.

// PACK_ROWS rows are the work of a workgroup of half_pack. Lanes of it stand side by side in memory: along k where neighbours
// in a row are neighbours in memory (BY_ROW), else across rows.
#define PACK_ROWS 32
#define PACK_LANES (BY_ROW ? 16 : 4)
#define PACK_LANE (BY_ROW ? THREAD % 16 : THREAD / 32)
#define PACK_FIRST (BY_ROW ? THREAD / 16 : THREAD % 32)
#define PACK_STEP (THREADS / PACK_LANES)

// scaled is x·2^e.
float scaled(float x, int e) {
	e = clamp(e, -252, 252);
	int half_ = e >> 1;
	return x * pow2(half_) * pow2(e - half_);
}

// exponentOf is the exponent of the power of two that a row is multiplied by, from the bits of its largest magnitude. A row that holds a NaN
// or an infinity stays as it is: what comes of it is not finite either way.
int exponentOf(uint bits) { return bits == 0u || bits >= 0x7f800000u ? 0 : 141 - int(bits >> 23); }

// toHalf rounds to nearest even. The built-in conversions may round otherwise.
uint toHalf(float x) {
	uint bits = floatBitsToUint(x), sign = bits >> 16 & 0x8000u;
	bits &= 0x7fffffffu;
	precise float units = uintBitsToFloat(bits) + 0.5; // whose last bit is 2^-24, that of float16 below 2^-14
	uint tiny = floatBitsToUint(units) - 0x3f000000u, usual = (bits - (112u << 23) + 0xfffu + (bits >> 13 & 1u)) >> 13;
	uint none = bits > 0x7f800000u ? 0x7e00u : 0x7c00u; // NaN, or beyond float16
	return sign | (bits >= 0x47800000u ? none : bits >= 0x38800000u ? usual : tiny);
}
