// Elements of 16 bits, two to a word, the first in the lower half.

// PUT_HALF replaces one half of a word of the array; another invocation may write the other half.
#define PUT_HALF(array, i, v) \
	do { \
		uint shift_ = ((i) & 1u) * 16u; \
		atomicAnd(array[(i) >> 1], ~(0xffffu << shift_)); \
		atomicOr(array[(i) >> 1], (v) << shift_); \
	} while (false)

#define GET_HALF(array, i) (array[(i) >> 1] >> (((i) & 1u) * 16u) & 0xffffu)

// FLOAT_AT is element i of an array of words that holds float32 or, with the constant half_, bfloat16. By shift and mask: with a choice between two ways to make
// the value, SwiftShader's compiler took ten times as long for a whole shader.
#define FLOAT_AT(array, i, half_) floatOf(array[(i) >> ((half_) ? 1 : 0)], i, half_)
float floatOf(uint word, uint i, bool half_) { return uintBitsToFloat(word << (~i & 1u) * (half_ ? 16u : 0u) & (half_ ? 0xffff0000u : 0xffffffffu)); }

// toBFloat16 rounds to nearest even; a NaN keeps its top bits and becomes quiet.
uint toBFloat16(uint bits) {
	if ((bits & 0x7fffffffu) > 0x7f800000u) return bits >> 16 | 0x40u;
	return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}
