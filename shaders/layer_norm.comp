#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader LayerNorm: 6 buffers.
//
// mean and rstd = 1/√(var + eps) of the rows of x [M, D], y = (x − mean)·rstd·w + b.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Y { float y[]; };
layout(set = 0, binding = 1) writeonly buffer Mean { float mean[]; };
layout(set = 0, binding = 2) writeonly buffer Rstd { float rstd[]; };
layout(set = 0, binding = 3) readonly buffer X { float x[]; };
layout(set = 0, binding = 4) readonly buffer W { float w[]; };
layout(set = 0, binding = 5) readonly buffer B { float b[]; };
layout(push_constant) uniform Push { uint yAt, meanAt, rstdAt, xAt, wAt, bAt, M, D; float eps; };

void main() {
	uint m = GROUP, count = m < M ? D : 0, row = m * D;
	float total = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) total += x[xAt + row + i];
	float centre = treeSum(total) / float(D);
	total = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) {
		float d = x[xAt + row + i] - centre;
		total = fma(d, d, total);
	}
	float scale = 1.0 / sqrt(treeSum(total) / float(D) + eps);
	for (uint i = THREAD; i < count; i += THREADS) y[yAt + row + i] = fma((x[xAt + row + i] - centre) * scale, w[wAt + i], b[bAt + i]);
	if (m < M && THREAD == 0) mean[meanAt + m] = centre, rstd[rstdAt + m] = scale;
}
