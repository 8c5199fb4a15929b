#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader BatchNorm: 6 buffers.
//
// y = (x − mean)·w/√(variance + eps) + bias for n elements of rows [N] of a [B, C, N], the first of which has number first.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Y { float y[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(set = 0, binding = 2) readonly buffer Mean { float mean[]; };
layout(set = 0, binding = 3) readonly buffer Variance { float variance[]; };
layout(set = 0, binding = 4) readonly buffer W { float w[]; };
layout(set = 0, binding = 5) readonly buffer Bias { float bias[]; };
layout(push_constant) uniform Push { uint yAt, xAt, meanAt, varianceAt, wAt, biasAt, n, N, C, first; float eps; };

void main() {
	EACH(e, n) {
		uint c = (first + e / N) % C;
		float scale = w[wAt + c] / sqrt(variance[varianceAt + c] + eps);
		y[yAt + e] = fma(x[xAt + e] - mean[meanAt + c], scale, bias[biasAt + c]);
	}
}
