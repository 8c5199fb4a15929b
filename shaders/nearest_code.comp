#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader NearestCode: 4 buffers.
//
// codes[m] = index of the row of codebook [K, D] with the largest score z[m]·v − ‖v‖²/2, the lowest of equals, for z [M, D]. A score is one
// chain of multiply-adds over ascending d from bias[k], wherever row and code stand. A score that is NaN or −Inf never wins.
//
// A workgroup takes ROWS rows past all codes, COLS at a time; an invocation keeps the scores of 4 rows and 8 codes in registers, and the best
// of each row so far.
#define ROWS 64
#define COLS 64
#define DEPTH 16
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Codes { uint codes[]; };
layout(set = 0, binding = 1) readonly buffer Z { float z[]; };
layout(set = 0, binding = 2) readonly buffer Codebook { float codebook[]; };
layout(set = 0, binding = 3) readonly buffer Bias { float bias[]; };
layout(push_constant) uniform Push { uint codesAt, zAt, codebookAt, biasAt, M, K, D; };

shared float zs[DEPTH][ROWS + 1];
shared float cs[DEPTH][COLS + 1];
shared float bests[ROWS][8];
shared uint ats[ROWS][8];

void main() {
	uint first = GROUP * ROWS, tx = THREAD % 8, ty = THREAD / 8;
	float best[4] = float[4](-infinity(), -infinity(), -infinity(), -infinity());
	uint at[4] = uint[4](0, 0, 0, 0);
	for (uint k0 = 0; k0 < K; k0 += COLS) {
		float score[4][8];
		[[unroll]] for (uint j = 0; j < 8; j++) {
			uint k = k0 + tx + 8 * j;
			float start = k < K ? bias[biasAt + k] : -infinity();
			[[unroll]] for (uint i = 0; i < 4; i++) score[i][j] = start;
		}
		for (uint d0 = 0; d0 < D; d0 += DEPTH) {
			for (uint e = THREAD; e < ROWS * DEPTH; e += THREADS) {
				uint d = e % DEPTH, r = e / DEPTH;
				zs[d][r] = first + r < M && d0 + d < D ? z[zAt + (first + r) * D + d0 + d] : 0.0;
				cs[d][r] = k0 + r < K && d0 + d < D ? codebook[codebookAt + (k0 + r) * D + d0 + d] : 0.0;
			}
			barrier();
			uint depth = min(DEPTH, D - d0); // no more: beyond D a code that is missing would add 0 to -Inf
			[[dont_unroll]] for (uint d = 0; d < depth; d++) {
				float c[8];
				[[unroll]] for (uint j = 0; j < 8; j++) c[j] = cs[d][tx + 8 * j];
				[[unroll]] for (uint i = 0; i < 4; i++) {
					float v = zs[d][ty * 4 + i];
					[[unroll]] for (uint j = 0; j < 8; j++) score[i][j] = fma(v, c[j], score[i][j]);
				}
			}
			barrier();
		}
		[[unroll]] for (uint i = 0; i < 4; i++) {
			[[unroll]] for (uint j = 0; j < 8; j++) {
				if (score[i][j] > best[i] && !isNaN(score[i][j])) best[i] = score[i][j], at[i] = k0 + tx + 8 * j;
			}
		}
	}
	[[unroll]] for (uint i = 0; i < 4; i++) bests[ty * 4 + i][tx] = best[i], ats[ty * 4 + i][tx] = at[i];
	barrier();
	if (THREAD >= ROWS || first + THREAD >= M) return;
	float top = bests[THREAD][0];
	uint code = ats[THREAD][0];
	for (uint j = 1; j < 8; j++) {
		float s = bests[THREAD][j];
		uint k = ats[THREAD][j];
		if (s > top || s == top && k < code) top = s, code = k;
	}
	codes[codesAt + first + THREAD] = code;
}
