#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader Flip: 2 buffers.
//
// dst[o, i, j] = x[o, N-1-i, j] for n elements of [outer, N, inner], 32 bits each.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Dst { uint dst[]; };
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, n, N, inner; };

void main() {
	EACH(e, n) {
		uint row = e / inner, i = row % N;
		dst[dstAt + e] = x[xAt + (row - i + N - 1 - i) * inner + e % inner];
	}
}
