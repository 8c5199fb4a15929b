#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader Patchify: 2 buffers.
//
// tokens[b, y·W/P + x, (c·P + i)·P + j] = img[b, c, y·P + i, x·P + j], or with BACK the other way; n elements.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool BACK = false;
layout(set = 0, binding = 0) writeonly buffer Dst { uint dst[]; };
layout(set = 0, binding = 1) readonly buffer Src { uint src[]; };
layout(push_constant) uniform Push { uint dstAt, srcAt, n, C, H, W, P; };

void main() {
	EACH(e, n) { // e is the place in img
		uint col = e % W, line = e / W % H, c = e / W / H % C, b = e / W / H / C;
		uint token = (b * (H / P) + line / P) * (W / P) + col / P;
		uint at = (token * C + c) * P * P + line % P * P + col % P;
		if (BACK) dst[dstAt + e] = src[srcAt + at];
		else dst[dstAt + at] = src[srcAt + e];
	}
}
