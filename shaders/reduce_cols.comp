#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader ReduceCols: 2 buffers.
//
// dst[o, c] = op over rows r of x[o, r, c], for n rows of inner elements; outer o is cut into pieces of length rows, each with a result of its
// own. Sums are divided by divisor; with add they come on top of dst.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool MAX = false;
layout(set = 0, binding = 0)  buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, outer, n, inner, pieces, length, add; float divisor; };

void main() {
	uint i = GROUP * THREADS + THREAD;
	if (i >= outer * pieces * inner) return;
	uint c = i % inner, piece = i / inner, o = piece / pieces, first = piece % pieces * length;
	uint last = min(n, first + length);
	float v = MAX ? -infinity() : 0.0;
	for (uint r = first; r < last; r++) {
		float e = x[xAt + (o * n + r) * inner + c];
		v = MAX ? maxNaN(v, e) : v + e;
	}
	if (!MAX) v /= divisor;
	dst[dstAt + i] = add != 0 ? dst[dstAt + i] + v : v;
}
