#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader Softmax: 2 buffers.
//
// dst[m] = softmax of row m of x [M, K]; dst may be x.
layout(local_size_x = THREADS) in;
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
		dst[to + i] = e;
		sum += e;
	}
	float scale = 1.0 / treeSum(sum);
	for (uint i = THREAD; i < count; i += THREADS) dst[to + i] *= scale;
}
