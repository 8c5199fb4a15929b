#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/strided.glsl"

// Shader BinaryInts: 3 buffers.
//
// dst[i] = op(a[…], b[…]) for integers; op numbers are those of tensor.BinaryOp, and comparisons give floats. dst is contiguous, a and b have strides,
// 0 on broadcast axes.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint OP = 0;
layout(set = 0, binding = 0) writeonly buffer Dst { int dst[]; };
layout(set = 0, binding = 1) readonly buffer A { int a[]; };
layout(set = 0, binding = 2) readonly buffer B { int b[]; };
layout(push_constant) uniform Push { uint dstAt, aAt, bAt, n, shape[AXES], sa[AXES], sb[AXES]; };

int apply(int x, int y) {
	switch (OP) {
	case 0: return x + y;
	case 1: return x - y;
	case 2: return x * y;
	case 4: return max(x, y);
	case 5: return min(x, y);
	}
	bool holds = OP == 7 ? x > y : OP == 8 ? x >= y : OP == 9 ? x == y : x != y;
	return floatBitsToInt(holds ? 1.0 : 0.0);
}

void main() {
	EACH(i, n) dst[dstAt + i] = apply(a[aAt + element(i, shape, sa)], b[bAt + element(i, shape, sb)]);
}
