#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader BatchNormRows: 6 buffers.
//
// For rows [N] of a [B, C, N], the first of which has number first: along = Σ (x − mean)², or with GRAD along = Σ dy·(x − mean)/√(variance + eps) and
// sum = Σ dy. Each row is cut into pieces of up to length elements, R in all, which have results of their own.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool GRAD = false;
layout(set = 0, binding = 0) writeonly buffer Along { float along[]; };
layout(set = 0, binding = 1) writeonly buffer Sum { float sum[]; };
layout(set = 0, binding = 2) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 3) readonly buffer X { float x[]; };
layout(set = 0, binding = 4) readonly buffer Mean { float mean[]; };
layout(set = 0, binding = 5) readonly buffer Variance { float variance[]; };
layout(push_constant) uniform Push { uint alongAt, sumAt, dyAt, xAt, meanAt, varianceAt, R, N, C, first, pieces, length; float eps; };

void main() {
	uint r = GROUP, row = r / pieces, start = r % pieces * length, c = (first + row) % C;
	uint count = r < R ? min(length, N - start) : 0, at = row * N + start;
	float centre = mean[meanAt + c], product = 0.0, total = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) {
		float d = x[xAt + at + i] - centre;
		if (GRAD) {
			float g = dy[dyAt + at + i];
			product = fma(g, d, product);
			total += g;
		} else {
			product = fma(d, d, product);
		}
	}
	product = treeSum(product);
	if (GRAD) total = treeSum(total);
	if (r >= R || THREAD != 0) return;
	along[alongAt + r] = GRAD ? product / sqrt(variance[varianceAt + c] + eps) : product;
	if (GRAD) sum[sumAt + r] = total;
}
