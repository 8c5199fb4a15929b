#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/strided.glsl"
#include "include/half.glsl"

// Shader Copy16: 2 buffers.
//
// dst[…] = src[…] for elements of 16 bits.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0)  buffer Dst { uint dst[]; };
layout(set = 0, binding = 1) readonly buffer Src { uint src[]; };
layout(push_constant) uniform Push { uint dstAt, srcAt, n, shape[AXES], sd[AXES], ss[AXES]; };

void main() {
	EACH(i, n) {
		uint from = srcAt + element(i, shape, ss), to = dstAt + element(i, shape, sd);
		PUT_HALF(dst, to, GET_HALF(src, from));
	}
}
