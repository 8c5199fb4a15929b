#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader Fill: 1 buffer.
//
// dst[i] = word.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Dst { uint dst[]; };
layout(push_constant) uniform Push { uint dstAt, n, word; };

void main() {
	EACH(i, n) dst[dstAt + i] = word;
}
