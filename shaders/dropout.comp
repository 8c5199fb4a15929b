#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader Dropout: 2 buffers.
//
// dst[i] = x[i]·scale, or 0 where the random number of i is less than below, for n elements. Number g belongs to elements g·inner …, counted from number
// first: word g%4 of the Philox4x32-10 block (Salmon et al., SC 2011) of counter g/4, as tensor.Rand has it.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, n, inner, first, key0, key1, below; float scale; };

uvec4 philox(uvec4 c, uvec2 k) {
	for (int round = 0; round < 10; round++) {
		uint hi0, lo0, hi1, lo1;
		umulExtended(0xD2511F53u, c.x, hi0, lo0);
		umulExtended(0xCD9E8D57u, c.z, hi1, lo1);
		c = uvec4(hi1 ^ c.y ^ k.x, lo1, hi0 ^ c.w ^ k.y, lo0);
		k += uvec2(0x9E3779B9u, 0xBB67AE85u);
	}
	return c;
}

void main() {
	EACH(e, n) {
		uint g = first + e / inner;
		uint word = philox(uvec4(g / 4, 0, 0, 0), uvec2(key0, key1))[g % 4];
		dst[dstAt + e] = word < below ? 0.0 : x[xAt + e] * scale;
	}
}
