#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader Affine: 2 buffers.
//
// dst[i] = x[i]·scale + shift, or with ADD dst[i] += x[i]·scale.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool ADD = false;
layout(set = 0, binding = 0)  buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, n; float scale, shift; };

void main() {
	EACH(i, n) dst[dstAt + i] = fma(x[xAt + i], scale, ADD ? dst[dstAt + i] : shift);
}
