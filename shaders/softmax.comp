#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader Softmax: 2 buffers.
//
// dst[m] = softmax of row m of x [M, K], or with LOG its logarithm; dst may be x.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool LOG = false;
layout(set = 0, binding = 0)  buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, M, K; };

void main() {
	uint m = GROUP, count = m < M ? K : 0, row = xAt + m * K, to = dstAt + m * K;
	float top = -infinity();
	for (uint i = THREAD; i < count; i += THREADS) top = maxNaN(top, x[row + i]);
	top = treeMax(top);
	float sum = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) {
		float e = expOf(x[row + i] - top);
		if (!LOG) dst[to + i] = e;
		sum += e;
	}
	sum = treeSum(sum);
	if (LOG) {
		float l = logOf(sum);
		for (uint i = THREAD; i < count; i += THREADS) dst[to + i] = (x[row + i] - top) - l;
		return;
	}
	float scale = 1.0 / sum;
	for (uint i = THREAD; i < count; i += THREADS) dst[to + i] *= scale;
}
