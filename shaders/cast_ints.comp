#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader CastInts: 2 buffers.
//
// dst[i] = src[i] as a float, or with BACK a float as an integer: rounded towards 0, the nearest integer where it is beyond them, and 0 for NaN.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool BACK = false;
layout(set = 0, binding = 0) writeonly buffer Dst { uint dst[]; };
layout(set = 0, binding = 1) readonly buffer Src { uint src[]; };
layout(push_constant) uniform Push { uint dstAt, srcAt, n; };

// toFloat rounds to nearest even, which a conversion may not: both halves are exact.
uint toFloat(int v) {
	precise float high = float(v >> 16) * 65536.0;
	precise float sum = high + float(v & 0xffff);
	return floatBitsToUint(sum);
}

uint toInt(uint bits) {
	if ((bits & 0x7fffffffu) > 0x7f800000u) return 0u;
	float v = uintBitsToFloat(bits);
	if (v >= 2147483648.0) return 0x7fffffffu;
	if (v <= -2147483648.0) return 0x80000000u;
	return uint(int(v));
}

void main() {
	EACH(i, n) dst[dstAt + i] = BACK ? toInt(src[srcAt + i]) : toFloat(int(src[srcAt + i]));
}
