#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/half.glsl"

// Shader ToBFloat16: 2 buffers.
//
// dst[i] = x[i] rounded to bfloat16.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0)  buffer Dst { uint dst[]; };
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, n; };

void main() {
	EACH(i, n) PUT_HALF(dst, dstAt + i, toBFloat16(x[xAt + i]));
}
