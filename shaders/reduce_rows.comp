#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader ReduceRows: 2 buffers.
//
// dst[r] = op over up to length elements of piece r of x: row r/pieces of n elements is cut into pieces. Sums are divided by divisor.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool MAX = false;
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, rows, n, pieces, length; float divisor; };

void main() {
	uint r = GROUP;
	bool live = r < rows;
	uint start = r % pieces * length, count = live ? min(length, n - start) : 0, at = xAt + r / pieces * n + start;
	float v = MAX ? -infinity() : 0.0;
	for (uint i = THREAD; i < count; i += THREADS) v = MAX ? maxNaN(v, x[at + i]) : v + x[at + i];
	v = MAX ? treeMax(v) : treeSum(v);
	if (live && THREAD == 0) dst[dstAt + r] = MAX ? v : v / divisor;
}
