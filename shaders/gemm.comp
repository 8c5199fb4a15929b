#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader Gemm: 3 buffers.
// Shader GemmEpilogue: 8 buffers, EPILOGUE.
//
// C (+)= A·B for A [M, K] and B [K, N] of any strides, one product for each z of the grid. Each element is one chain of multiply-adds over
// ascending k, whatever the tile, so results do not depend on M or N. See include/product.glsl for EPILOGUE.
//
// A workgroup makes a tile of BM x BN, an invocation TM x TN of it. They load DEPTH values of k at a time into shared memory, k-major.
#define DEPTH 16
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BM = 32;
layout(constant_id = 2) const uint BN = 32;
layout(constant_id = 3) const uint TM = 4;
layout(constant_id = 4) const uint TN = 4;
layout(constant_id = 5) const bool A_BY_ROW = true; // neighbours in a row of A are neighbours in memory; else those in a column
layout(constant_id = 6) const bool B_BY_ROW = true;
layout(set = 0, binding = 1) readonly buffer A { float a[]; };
layout(set = 0, binding = 2) readonly buffer B { float b[]; };
#define SIZES M, N, K, aRow, aCol, bRow, bCol, aBatch, bBatch, cBatch
#include "include/product.glsl"

shared float as[DEPTH * (BM + 1)];
shared float bs[DEPTH * (BN + 1)];

void main() {
	const uint threads = gl_WorkGroupSize.x, across = BN / TN;
	uint m0 = gl_WorkGroupID.y * BM, n0 = gl_WorkGroupID.x * BN, batch = gl_WorkGroupID.z;
	uint tx = THREAD % across, ty = THREAD / across;
	uint aFrom = aAt + batch * aBatch, bFrom = bAt + batch * bBatch;
	float sums[TM * TN];
	[[unroll]] for (uint i = 0; i < TM * TN; i++) sums[i] = 0.0;
	for (uint k0 = 0; k0 < K; k0 += DEPTH) {
		for (uint e = THREAD; e < BM * DEPTH; e += threads) {
			uint k = A_BY_ROW ? e % DEPTH : e / BM, m = A_BY_ROW ? e / DEPTH : e % BM;
			bool inside = m0 + m < M && k0 + k < K;
			as[k * (BM + 1) + m] = inside ? a[aFrom + (m0 + m) * aRow + (k0 + k) * aCol] : 0.0;
		}
		for (uint e = THREAD; e < BN * DEPTH; e += threads) {
			uint k = B_BY_ROW ? e / BN : e % DEPTH, n = B_BY_ROW ? e % BN : e / DEPTH;
			bool inside = n0 + n < N && k0 + k < K;
			bs[k * (BN + 1) + n] = inside ? b[bFrom + (k0 + k) * bRow + (n0 + n) * bCol] : 0.0;
		}
		barrier();
		[[dont_unroll]] for (uint k = 0; k < DEPTH; k++) { // beyond K both sides are 0
			float av[TM], bv[TN];
			[[unroll]] for (uint i = 0; i < TM; i++) av[i] = as[k * (BM + 1) + ty + i * (BM / TM)];
			[[unroll]] for (uint j = 0; j < TN; j++) bv[j] = bs[k * (BN + 1) + tx + j * across];
			[[unroll]] for (uint i = 0; i < TM; i++) {
				[[unroll]] for (uint j = 0; j < TN; j++) sums[i * TN + j] = fma(av[i], bv[j], sums[i * TN + j]);
			}
		}
		barrier();
	}
	[[unroll]] for (uint i = 0; i < TM; i++) {
		uint row = m0 + ty + i * (BM / TM);
		[[unroll]] for (uint j = 0; j < TN; j++) {
			uint col = n0 + tx + j * across;
			if (row < M && col < N) store(batch * cBatch + row * N + col, row, col, sums[i * TN + j]);
		}
	}
}
