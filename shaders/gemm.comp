#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tile.glsl"

// Shader Gemm: 3 buffers.
// Shader GemmEpilogue: 8 buffers, EPILOGUE.
//
// C (+)= A·B for A [M, K] and B [K, N] of any strides, one product for each z of the grid. Each element is one chain of multiply-adds over
// ascending k, whatever the tile, so results do not depend on M or N. See include/product.glsl for EPILOGUE.
layout(constant_id = 5) const bool A_BY_ROW = true; // neighbours in a row of A are neighbours in memory, aCol is 1; else those in a column may be
layout(constant_id = 6) const bool B_BY_ROW = true;
layout(set = 0, binding = 1) readonly buffer A { float a[]; };
layout(set = 0, binding = 2) readonly buffer B { float b[]; };
#define SIZES M, N, K, aRow, aCol, bRow, bCol, aBatch, bBatch, cBatch
#include "include/product.glsl"

// What an invocation loads for the next step, while this one is multiplied.
const uint A_EACH = A_FOURS * DEPTH / (ACROSS * DOWN), B_EACH = B_FOURS * DEPTH / (ACROSS * DOWN);
vec4 nextA[A_EACH], nextB[B_EACH];

#define A_K(e) (A_BY_ROW ? (e) % DEPTH : (e) / A_FOURS)
#define A_ROW(e) (A_BY_ROW ? (e) / DEPTH : (e) % A_FOURS)
#define B_K(e) (B_BY_ROW ? (e) / B_FOURS : (e) % DEPTH)
#define B_COL(e) (B_BY_ROW ? (e) % B_FOURS : (e) / DEPTH)

// FOUR is elements at, at + step, … of a factor, and the first again for those that are not there. So all can be loaded at once.
#define FOUR(factor, at, step, there) \
	vec4(factor[at], factor[at + ((there) > 1 ? step : 0)], factor[at + ((there) > 2 ? 2 * step : 0)], factor[at + ((there) > 3 ? 3 * step : 0)])

// fetch loads the step from k0 on: zeros beyond K, and something beyond M and N, of which nothing is stored.
void fetch(uint k0) {
	if (k0 >= K) return;
	[[unroll]] for (uint x = 0; x < A_EACH; x++) {
		uint e = THREAD + x * gl_WorkGroupSize.x, k = k0 + A_K(e), m = min(gl_WorkGroupID.y * BM + A_ROW(e), M - 1);
		uint at = aAt + gl_WorkGroupID.z * aBatch + m * aRow + min(k, K - 1) * (A_BY_ROW ? 1 : aCol), there = (M - 1 - m) / A_FOURS + 1;
		vec4 v = FOUR(a, at, A_FOURS * aRow, there);
		nextA[x] = k < K ? v : vec4(0);
	}
	[[unroll]] for (uint x = 0; x < B_EACH; x++) {
		uint e = THREAD + x * gl_WorkGroupSize.x, k = k0 + B_K(e), n = min(gl_WorkGroupID.x * BN + B_COL(e), N - 1);
		uint at = bAt + gl_WorkGroupID.z * bBatch + n * (B_BY_ROW ? 1 : bCol) + min(k, K - 1) * bRow, there = (N - 1 - n) / B_FOURS + 1;
		vec4 v = FOUR(b, at, B_FOURS * (B_BY_ROW ? 1 : bCol), there);
		nextB[x] = k < K ? v : vec4(0);
	}
}

void main() {
	clear();
	fetch(0);
	for (uint k0 = 0; k0 < K; k0 += DEPTH) {
		[[unroll]] for (uint x = 0; x < A_EACH; x++) {
			uint e = THREAD + x * gl_WorkGroupSize.x;
			as[A_K(e) * A_LINE + A_ROW(e)] = nextA[x];
		}
		[[unroll]] for (uint x = 0; x < B_EACH; x++) {
			uint e = THREAD + x * gl_WorkGroupSize.x;
			bs[B_K(e) * B_LINE + B_COL(e)] = nextB[x];
		}
		barrier();
		fetch(k0 + DEPTH);
		multiply();
		barrier();
	}
	[[unroll]] for (uint i = 0; i < TM; i++) {
		uint row = gl_WorkGroupID.y * BM + ROW(i);
		[[unroll]] for (uint j = 0; j < TN; j++) {
			uint col = gl_WorkGroupID.x * BN + COL(j);
			if (row < M && col < N) store(gl_WorkGroupID.z * cBatch + row * N + col, row, col, sums[i * (TN / 4) + j / 4][j % 4]);
		}
	}
}
