#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/half.glsl"

// Shader ToBFloat16: 2 buffers.
//
// dst[i] = x[i] rounded to bfloat16. dst begins with a whole word; the upper half of its last one is of no other tensor, and becomes 0 where n is odd.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Dst { uint dst[]; };
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, n; };

void main() {
	EACH(w, (n + 1) / 2) {
		uint i = 2 * w, second = i + 1 < n ? toBFloat16(x[xAt + i + 1]) : 0u;
		dst[dstAt / 2 + w] = toBFloat16(x[xAt + i]) | second << 16;
	}
}
