#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/packed.glsl"

// Shader GemmHalf: 3 buffers.
// Shader GemmHalfEpilogue: 8 buffers, EPILOGUE.
//
// C (+)= A·B as gemm.comp, for packed factors: see include/packed.glsl. Elements are read as 16 bits and multiplied and summed in float32, in
// one chain over ascending k. See include/product.glsl for EPILOGUE.
//
// A workgroup makes a tile of BM x BN, an invocation TM x TN of it, in pairs of neighbours. They load DEPTH values of k at a time into shared
// memory, k-major, two rows to a word.
#define DEPTH 16
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BM = 32;
layout(constant_id = 2) const uint BN = 32;
layout(constant_id = 3) const uint TM = 4;
layout(constant_id = 4) const uint TN = 4;
layout(set = 0, binding = 1) readonly buffer A { uint a[]; };
layout(set = 0, binding = 2) readonly buffer B { uint b[]; };
#define SIZES M, N, depth, aRows, bRows, aScales, bScales, cBatch // rows from one of a batch to the next; where exponents start
#include "include/product.glsl"

shared uint as[DEPTH * (BM / 2 + 1)];
shared uint bs[DEPTH * (BN / 2 + 1)];

// LOAD fills shared memory with `size` rows of a factor, from its word `from` on. An invocation turns two rows and two values of k.
#define LOAD(shared_, size, factor, from) \
	for (uint e = THREAD; e < size / 2 * (DEPTH / 2); e += gl_WorkGroupSize.x) { \
		uint k = e % (DEPTH / 2), r = e / (DEPTH / 2), at = (from) + 2 * r * (depth / 2) + k; \
		uint first_ = factor[at], second_ = factor[at + depth / 2]; \
		shared_[2 * k * (size / 2 + 1) + r] = first_ & 0xffffu | second_ << 16; \
		shared_[(2 * k + 1) * (size / 2 + 1) + r] = first_ >> 16 | second_ & 0xffff0000u; \
	}

void main() {
	const uint across = BN / TN, down = BM / TM;
	uint m0 = gl_WorkGroupID.y * BM, n0 = gl_WorkGroupID.x * BN, batch = gl_WorkGroupID.z;
	uint tx = THREAD % across, ty = THREAD / across;
	uint aRow = batch * aRows + m0, bRow = batch * bRows + n0;
	float sums[TM * TN];
	[[unroll]] for (uint i = 0; i < TM * TN; i++) sums[i] = 0.0;
	for (uint k0 = 0; k0 < depth; k0 += DEPTH) {
		LOAD(as, BM, a, aAt + aRow * (depth / 2) + k0 / 2)
		LOAD(bs, BN, b, bAt + bRow * (depth / 2) + k0 / 2)
		barrier();
		[[dont_unroll]] for (uint k = 0; k < DEPTH; k++) {
			vec2 av[TM / 2], bv[TN / 2];
			[[unroll]] for (uint i = 0; i < TM / 2; i++) av[i] = unpackHalf2x16(as[k * (BM / 2 + 1) + ty + i * down]);
			[[unroll]] for (uint j = 0; j < TN / 2; j++) bv[j] = unpackHalf2x16(bs[k * (BN / 2 + 1) + tx + j * across]);
			[[unroll]] for (uint i = 0; i < TM; i++) {
				[[unroll]] for (uint j = 0; j < TN; j++) sums[i * TN + j] = fma(av[i / 2][i % 2], bv[j / 2][j % 2], sums[i * TN + j]);
			}
		}
		barrier();
	}
	uint aScale = aAt + aScales + aRow, bScale = bAt + bScales + bRow;
	[[unroll]] for (uint i = 0; i < TM; i++) {
		uint row = 2 * (ty + i / 2 * down) + i % 2;
		[[unroll]] for (uint j = 0; j < TN; j++) {
			uint col = 2 * (tx + j / 2 * across) + j % 2;
			if (m0 + row < M && n0 + col < N) { // with `continue`, compilers leave the loops as they are
				float v = scaled(sums[i * TN + j], int(a[aScale + row] + b[bScale + col]));
				store(batch * cBatch + (m0 + row) * N + n0 + col, m0 + row, n0 + col, v);
			}
		}
	}
}
