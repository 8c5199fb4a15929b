#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// s = x + r (or x), mean and rstd = 1/√(var + eps) of its rows [M, D], y = (s − mean)·rstd·w + b.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool RESIDUAL = false;
layout(set = 0, binding = 0) writeonly buffer Y { float y[]; };
layout(set = 0, binding = 1) writeonly buffer Mean { float mean[]; };
layout(set = 0, binding = 2) writeonly buffer Rstd { float rstd[]; };
layout(set = 0, binding = 3) writeonly buffer Sum { float sum[]; };
layout(set = 0, binding = 4) readonly buffer X { float x[]; };
layout(set = 0, binding = 5) readonly buffer R { float r[]; };
layout(set = 0, binding = 6) readonly buffer W { float w[]; };
layout(set = 0, binding = 7) readonly buffer B { float b[]; };
layout(push_constant) uniform Push { uint yAt, meanAt, rstdAt, sumAt, xAt, rAt, wAt, bAt, M, D; float eps; };

float element(uint i) { return RESIDUAL ? x[xAt + i] + r[rAt + i] : x[xAt + i]; }

void main() {
	uint m = GROUP, count = m < M ? D : 0, row = m * D;
	float total = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) {
		float s = element(row + i);
		total += s;
		if (RESIDUAL) sum[sumAt + row + i] = s;
	}
	float centre = treeSum(total) / float(D);
	total = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) {
		float d = element(row + i) - centre;
		total = fma(d, d, total);
	}
	float scale = 1.0 / sqrt(treeSum(total) / float(D) + eps);
	for (uint i = THREAD; i < count; i += THREADS) y[yAt + row + i] = fma((element(row + i) - centre) * scale, w[wAt + i], b[bAt + i]);
	if (m < M && THREAD == 0) mean[meanAt + m] = centre, rstd[rstdAt + m] = scale;
}
