#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/packed.glsl"

// Shader GemmCoop: 3 buffers.
// Shader GemmCoopEpilogue: 8 buffers, EPILOGUE.
//
// C (+)= A·B as gemm_half.comp, on cooperative matrices: float16 factors of MF x KF and KF x NF, float32 sums, each in one chain over ascending
// k. See include/packed.glsl for the factors and include/product.glsl for EPILOGUE.
//
// A workgroup has four subgroups and makes a tile of two by two parts, one each, of DOWN x ACROSS matrices. They load DEPTH values of k at a time
// into shared memory, eight to a word; the words of a row are followed by one of none, lest rows share memory banks.
#define DEPTH 32
#define WORDS (DEPTH / 8)
#define STEP (WORDS + 1)
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint MF = 16;
layout(constant_id = 2) const uint NF = 16;
layout(constant_id = 3) const uint KF = 16;
layout(constant_id = 4) const uint DOWN = 2;
layout(constant_id = 5) const uint ACROSS = 2;
layout(set = 0, binding = 1) readonly buffer A { uvec4 a[]; };
layout(set = 0, binding = 2) readonly buffer B { uvec4 b[]; };
layout(set = 0, binding = 1) readonly buffer AExponents { int aExponents[]; };
layout(set = 0, binding = 2) readonly buffer BExponents { int bExponents[]; };
#define SIZES M, N, depth, aRows, bRows, aScales, bScales, cBatch // rows from one of a batch to the next; where exponents start
#include "include/product.glsl"

const uint BM = 2 * DOWN * MF, BN = 2 * ACROSS * NF;
// Shared memory holds a step of both factors, in words, and later sums on their way out: of each of the four subgroups one row of matrices at a
// time, SUMS floats, so for all of them as many words.
const uint FACTORS = (BM + BN) * STEP, SUMS = MF * ACROSS * NF;
shared uvec4 room[FACTORS > SUMS ? FACTORS : SUMS];

void main() {
	uint m0 = gl_WorkGroupID.y * BM, n0 = gl_WorkGroupID.x * BN, batch = gl_WorkGroupID.z;
	uint aRow = batch * aRows + m0, bRow = batch * bRows + n0;
	uint mPart = gl_SubgroupID / 2 * DOWN * MF, nPart = gl_SubgroupID % 2 * ACROSS * NF; // within the tile
	coopmat<float, gl_ScopeSubgroup, MF, NF, gl_MatrixUseAccumulator> sums[DOWN * ACROSS];
	[[unroll]] for (uint i = 0; i < DOWN * ACROSS; i++) sums[i] = coopmat<float, gl_ScopeSubgroup, MF, NF, gl_MatrixUseAccumulator>(0.0);
	for (uint k0 = 0; k0 < depth; k0 += DEPTH) {
		for (uint e = THREAD; e < BM * WORDS; e += gl_WorkGroupSize.x) {
			room[e / WORDS * STEP + e % WORDS] = a[aAt / 4 + ((aRow + e / WORDS) * depth + k0) / 8 + e % WORDS];
		}
		for (uint e = THREAD; e < BN * WORDS; e += gl_WorkGroupSize.x) {
			room[(BM + e / WORDS) * STEP + e % WORDS] = b[bAt / 4 + ((bRow + e / WORDS) * depth + k0) / 8 + e % WORDS];
		}
		barrier();
		for (uint k = 0; k < DEPTH; k += KF) {
			coopmat<float16_t, gl_ScopeSubgroup, MF, KF, gl_MatrixUseA> left[DOWN];
			[[unroll]] for (uint i = 0; i < DOWN; i++) {
				coopMatLoad(left[i], room, (mPart + i * MF) * STEP + k / 8, STEP, gl_CooperativeMatrixLayoutRowMajor);
			}
			[[unroll]] for (uint j = 0; j < ACROSS; j++) {
				coopmat<float16_t, gl_ScopeSubgroup, KF, NF, gl_MatrixUseB> right;
				coopMatLoad(right, room, (BM + nPart + j * NF) * STEP + k / 8, STEP, gl_CooperativeMatrixLayoutColumnMajor);
				[[unroll]] for (uint i = 0; i < DOWN; i++) sums[i * ACROSS + j] = coopMatMulAdd(left[i], right, sums[i * ACROSS + j]);
			}
		}
		barrier();
	}
	uint aScale = aAt + aScales + aRow, bScale = bAt + bScales + bRow;
	const uint WIDTH = ACROSS * NF;
	uint mine = gl_SubgroupID * SUMS;
	[[dont_unroll]] for (uint i = 0; i < DOWN; i++) {
		// Which sums these are must be known when the pipeline is made, or compilers put all of them into memory, and they do not unroll a loop that
		// holds another which stays one. So one loop asks, and the one within is unrolled.
		[[unroll]] for (uint down = 0; down < DOWN; down++) {
			if (down == i) {
				[[unroll]] for (uint j = 0; j < ACROSS; j++) {
					coopMatStore(sums[down * ACROSS + j], room, (mine + j * NF) / 4, WIDTH / 4, gl_CooperativeMatrixLayoutRowMajor);
				}
			}
		}
		barrier();
		for (uint e = gl_SubgroupInvocationID; e < MF * WIDTH; e += gl_SubgroupSize) {
			uint row = mPart + i * MF + e / WIDTH, col = nPart + e % WIDTH; // within the tile
			if (m0 + row >= M || n0 + col >= N) continue;
			float v = scaled(uintBitsToFloat(room[(mine + e) / 4][e % 4]), aExponents[aScale + row] + bExponents[bScale + col]);
			store(batch * cBatch + (m0 + row) * N + n0 + col, m0 + row, n0 + col, v);
		}
		barrier();
	}
}
