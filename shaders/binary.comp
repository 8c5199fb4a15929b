#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/strided.glsl"

// Shader Binary: 3 buffers.
//
// dst[i] = op(a[…], b[…]); op numbers are those of tensor.BinaryOp. dst is contiguous, a and b have strides, 0 on broadcast axes.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint OP = 0;
layout(constant_id = 1) const bool DENSE = false; // a and b are contiguous too
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer A { float a[]; };
layout(set = 0, binding = 2) readonly buffer B { float b[]; };
layout(push_constant) uniform Push { uint dstAt, aAt, bAt, n, shape[AXES], sa[AXES], sb[AXES]; };

float apply(float x, float y) {
	switch (OP) {
	case 0: return x + y;
	case 1: return x - y;
	case 2: return x * y;
	case 3: return x / y;
	case 4: return maxNaN(x, y);
	case 5: return minNaN(x, y);
	case 6: return powOf(x, y);
	}
	if (isNaN(x) || isNaN(y)) return OP == 10 ? 1.0 : 0.0; // a driver may take NaN for a number
	bool holds = OP == 7 ? x > y : OP == 8 ? x >= y : OP == 9 ? x == y : x != y;
	return holds ? 1.0 : 0.0;
}

void main() {
	EACH(i, n) {
		uint ai = DENSE ? i : element(i, shape, sa), bi = DENSE ? i : element(i, shape, sb);
		dst[dstAt + i] = apply(a[aAt + ai], b[bAt + bi]);
	}
}
