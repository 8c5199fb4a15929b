#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/packed.glsl"
#include "include/tile.glsl"

// Shader GemmHalf: 3 buffers.
// Shader GemmHalfEpilogue: 8 buffers, EPILOGUE.
//
// C (+)= A·B as gemm.comp, for packed factors: see include/packed.glsl. Elements are read as 16 bits and multiplied and summed in float32, in
// one chain over ascending k. See include/product.glsl for EPILOGUE.
layout(set = 0, binding = 1) readonly buffer A { uint a[]; };
layout(set = 0, binding = 2) readonly buffer B { uint b[]; };
#define SIZES M, N, depth, aRows, bRows, aScales, bScales, cBatch // rows from one of a batch to the next; where exponents start
#include "include/product.glsl"

// What an invocation loads for the next step, while this one is multiplied: words of two k, of four rows.
const uint A_EACH = A_FOURS * DEPTH / 2 / (ACROSS * DOWN), B_EACH = B_FOURS * DEPTH / 2 / (ACROSS * DOWN);
uvec4 nextA[A_EACH], nextB[B_EACH];

// The rows of A and of B that the tile begins with, among those of the whole batch.
#define A_FIRST (gl_WorkGroupID.z * aRows + gl_WorkGroupID.y * BM)
#define B_FIRST (gl_WorkGroupID.z * bRows + gl_WorkGroupID.x * BN)

#define WORD(e) ((e) % (DEPTH / 2))
#define FOUR(e) ((e) / (DEPTH / 2))

// FETCH loads fours of a factor, step words apart. There are rows up to a multiple of the tile.
#define FETCH(next, each, factor, from, step) \
	[[unroll]] for (uint x = 0; x < each; x++) { \
		uint e = THREAD + x * gl_WorkGroupSize.x, at = (from) + FOUR(e) * (depth / 2) + WORD(e); \
		next[x] = uvec4(factor[at], factor[at + (step)], factor[at + 2 * (step)], factor[at + 3 * (step)]); \
	}

void fetch(uint k0) {
	if (k0 >= depth) return;
	FETCH(nextA, A_EACH, a, aAt + A_FIRST * (depth / 2) + k0 / 2, A_FOURS * (depth / 2))
	FETCH(nextB, B_EACH, b, bAt + B_FIRST * (depth / 2) + k0 / 2, B_FOURS * (depth / 2))
}

// PUT puts them into shared memory as float32.
#define PUT(shared_, line, next, each) \
	[[unroll]] for (uint x = 0; x < each; x++) { \
		uint e = THREAD + x * gl_WorkGroupSize.x, at = 2 * WORD(e) * line + FOUR(e); \
		vec2 p0 = unpackHalf2x16(next[x][0]), p1 = unpackHalf2x16(next[x][1]), p2 = unpackHalf2x16(next[x][2]), p3 = unpackHalf2x16(next[x][3]); \
		shared_[at] = vec4(p0.x, p1.x, p2.x, p3.x); \
		shared_[at + line] = vec4(p0.y, p1.y, p2.y, p3.y); \
	}

void main() {
	clear();
	fetch(0);
	for (uint k0 = 0; k0 < depth; k0 += DEPTH) {
		PUT(as, A_LINE, nextA, A_EACH)
		PUT(bs, B_LINE, nextB, B_EACH)
		barrier();
		fetch(k0 + DEPTH);
		multiply();
		barrier();
	}
	[[unroll]] for (uint i = 0; i < TM; i++) {
		uint row = gl_WorkGroupID.y * BM + ROW(i), aScale = a[aAt + aScales + A_FIRST + ROW(i)];
		[[unroll]] for (uint j = 0; j < TN; j++) {
			uint col = gl_WorkGroupID.x * BN + COL(j);
			if (row < M && col < N) { // with `continue`, compilers leave the loops as they are
				float v = scaled(sums[i * (TN / 4) + j / 4][j % 4], int(aScale + b[bAt + bScales + B_FIRST + COL(j)]));
				store(gl_WorkGroupID.z * cBatch + row * N + col, row, col, v);
			}
		}
	}
}
