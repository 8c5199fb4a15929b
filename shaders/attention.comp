#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader Attention: 4 buffers.
//
// out = softmax(scale·q·kᵀ + bias)·v for TILE queries of a head, with the running maximum and sum of the softmax; lse is its log-sum-exp.
layout(constant_id = 1) const bool BIAS = false;
layout(set = 0, binding = 0) writeonly buffer Out { float outs[]; };
layout(set = 0, binding = 1) writeonly buffer Lse { float lse[]; };
layout(set = 0, binding = 2) readonly buffer Qkv { float qkv[]; };
layout(set = 0, binding = 3) readonly buffer Bias { float bias[]; };
layout(push_constant) uniform Push { uint outAt, lseAt, qkvAt, biasAt, N, H; float scale; };

void main() {
	uint q0 = gl_WorkGroupID.x * TILE, h = gl_WorkGroupID.y, sample_ = gl_WorkGroupID.z, step_ = 3 * H * HEAD;
	uint q = qkvAt + sample_ * N * step_ + h * HEAD, k = q + H * HEAD, v = k + H * HEAD, row = q0 + ROW;
	float sums[COLUMNS];
	for (uint j = 0; j < COLUMNS; j++) sums[j] = 0.0;
	float top = -infinity(), total = 0.0;
	for (uint k0 = 0; k0 < N; k0 += TILE) {
		float s[PER];
		for (uint j = 0; j < PER; j++) s[j] = 0.0;
		LOAD_DOTS(s, qkv, q, step_, q0, qkv, k, step_, k0)
		float best = top;
		for (uint j = 0; j < PER; j++) {
			uint key = k0 + LANE + 4 * j;
			s[j] *= scale;
			if (BIAS && row < N && key < N) s[j] += bias[biasAt + (h * N + row) * N + key];
			if (key < N) best = maxNaN(best, s[j]);
		}
		// The four invocations of a row agree on its maximum through shared memory.
		barrier();
		weights[ROW * (TILE + 1) + LANE] = best;
		barrier();
		for (uint l = 0; l < 4; l++) best = maxNaN(best, weights[ROW * (TILE + 1) + l]);
		barrier();
		float shrink = top == -infinity() ? 0.0 : expOf(top - best);
		top = best;
		for (uint j = 0; j < PER; j++) {
			uint key = k0 + LANE + 4 * j;
			weights[ROW * (TILE + 1) + LANE + 4 * j] = key < N ? expOf(s[j] - top) : 0.0;
		}
		barrier();
		float part = 0.0;
		for (uint i = 0; i < TILE; i++) part += weights[ROW * (TILE + 1) + i];
		total = fma(total, shrink, part);
		for (uint j = 0; j < COLUMNS; j++) sums[j] *= shrink;
		APPLY(sums, qkv, v, step_, k0)
	}
	if (row >= N) return;
	float inv = 1.0 / total;
	for (uint j = 0; j < COLUMNS; j++) {
		uint d = LANE + 4 * j;
		if (d < HEAD) outs[outAt + ((sample_ * N + row) * H + h) * HEAD + d] = sums[j] * inv;
	}
	if (LANE == 0) lse[lseAt + (sample_ * H + h) * N + row] = top + logOf(total);
}
