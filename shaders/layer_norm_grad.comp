#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader LayerNormGrad: 6 buffers.
//
// dx (+)= rstd·(g − (Σg + x̂·Σg·x̂)/D) for rows [M, D], with g = dy·w and x̂ = (x − mean)·rstd.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0)  buffer Dx { float dx[]; };
layout(set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 2) readonly buffer X { float x[]; };
layout(set = 0, binding = 3) readonly buffer W { float w[]; };
layout(set = 0, binding = 4) readonly buffer Mean { float mean[]; };
layout(set = 0, binding = 5) readonly buffer Rstd { float rstd[]; };
layout(push_constant) uniform Push { uint dxAt, dyAt, xAt, wAt, meanAt, rstdAt, M, D, add; };

void main() {
	uint m = GROUP, count = m < M ? D : 0, row = m * D;
	float centre = m < M ? mean[meanAt + m] : 0.0, scale = m < M ? rstd[rstdAt + m] : 0.0;
	float sumG = 0.0, sumGX = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) {
		precise float g = dy[dyAt + row + i] * w[wAt + i];
		sumG += g;
		sumGX = fma(g, (x[xAt + row + i] - centre) * scale, sumGX);
	}
	float meanG = treeSum(sumG) / float(D), meanGX = treeSum(sumGX) / float(D);
	for (uint i = THREAD; i < count; i += THREADS) {
		precise float g = dy[dyAt + row + i] * w[wAt + i];
		float d = scale * (g - meanG - (x[xAt + row + i] - centre) * scale * meanGX);
		uint at = dxAt + row + i;
		dx[at] = add != 0 ? dx[at] + d : d;
	}
}
