#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader LayerNormGrad: 7 buffers.
//
// For x̂ = (x − mean)·rstd of M rows [M, D]:
//   dx (+)= rstd·(g − (Σg + x̂·Σg·x̂)/D) with g = dy·w, by a workgroup for each of the `wanted` rows: all or none
//   parts[p] = Σ dy·x̂, then Σ dy, over the rows of piece p: length of the M rows. parts is [pieces, 2, D]. The workgroups after those do it.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0)  buffer Dx { float dx[]; };
layout(set = 0, binding = 1) writeonly buffer Parts { float parts[]; };
layout(set = 0, binding = 2) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 3) readonly buffer X { float x[]; };
layout(set = 0, binding = 4) readonly buffer W { float w[]; };
layout(set = 0, binding = 5) readonly buffer Mean { float mean[]; };
layout(set = 0, binding = 6) readonly buffer Rstd { float rstd[]; };
layout(push_constant) uniform Push { uint dxAt, partsAt, dyAt, xAt, wAt, meanAt, rstdAt, M, D, add, wanted, pieces, length; };

void row(uint m) {
	uint at = m * D;
	float centre = mean[meanAt + m], scale = rstd[rstdAt + m], sumG = 0.0, sumGX = 0.0;
	for (uint i = THREAD; i < D; i += THREADS) {
		precise float g = dy[dyAt + at + i] * w[wAt + i];
		sumG += g;
		sumGX = fma(g, (x[xAt + at + i] - centre) * scale, sumGX);
	}
	float meanG = treeSum(sumG) / float(D), meanGX = treeSum(sumGX) / float(D);
	for (uint i = THREAD; i < D; i += THREADS) {
		precise float g = dy[dyAt + at + i] * w[wAt + i];
		float d = scale * (g - meanG - (x[xAt + at + i] - centre) * scale * meanGX);
		uint to = dxAt + at + i;
		dx[to] = add != 0 ? dx[to] + d : d;
	}
}

// columns is by an invocation for each column of each piece.
void columns(uint i) {
	if (i >= pieces * D) return;
	uint piece = i / D, c = i % D, last = min(M, (piece + 1) * length);
	float dw = 0.0, db = 0.0;
	for (uint m = piece * length; m < last; m++) {
		float g = dy[dyAt + m * D + c];
		dw = fma(g, (x[xAt + m * D + c] - mean[meanAt + m]) * rstd[rstdAt + m], dw);
		db += g;
	}
	parts[partsAt + piece * 2 * D + c] = dw;
	parts[partsAt + piece * 2 * D + D + c] = db;
}

void main() {
	if (GROUP < wanted) row(GROUP);
	else columns((GROUP - wanted) * THREADS + THREAD);
}
