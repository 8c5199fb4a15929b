#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader BatchNormGrad: 7 buffers.
//
// dx (+)= s·dy with s = w/√(variance + eps), or with BATCH s·(dy − (sums[1] + x̂·sums[0])/count), for n elements of rows [N] of a [B, C, N], the first
// of which has number first. See tensor.BatchNormGradArgs.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool BATCH = false;
layout(set = 0, binding = 0)  buffer Dx { float dx[]; };
layout(set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 2) readonly buffer X { float x[]; };
layout(set = 0, binding = 3) readonly buffer W { float w[]; };
layout(set = 0, binding = 4) readonly buffer Mean { float mean[]; };
layout(set = 0, binding = 5) readonly buffer Variance { float variance[]; };
layout(set = 0, binding = 6) readonly buffer Sums { float sums[]; };
layout(push_constant) uniform Push { uint dxAt, dyAt, xAt, wAt, meanAt, varianceAt, sumsAt, n, N, C, first, add; float count, eps; };

void main() {
	EACH(e, n) {
		uint c = (first + e / N) % C;
		float inv = 1.0 / sqrt(variance[varianceAt + c] + eps), d = dy[dyAt + e];
		if (BATCH) {
			float normal = (x[xAt + e] - mean[meanAt + c]) * inv;
			d -= fma(normal, sums[sumsAt + c], sums[sumsAt + C + c]) / count;
		}
		d *= w[wAt + c] * inv;
		dx[dxAt + e] = add != 0 ? dx[dxAt + e] + d : d;
	}
}
