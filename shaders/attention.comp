#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader Attention: 6 buffers.
//
// out = softmax(scale·q·kᵀ + bias)·v for TILE queries of a head, with the running maximum and sum of the softmax; lse is its log-sum-exp. A query
// that sees no key gets zeros and -Inf.
layout(constant_id = 1) const bool BIAS = false;
layout(constant_id = 2) const bool MASK = false;
layout(constant_id = 3) const bool CAUSAL = false;
layout(set = 0, binding = 0) writeonly buffer Out { float outs[]; };
layout(set = 0, binding = 1) writeonly buffer Lse { float lse[]; };
layout(set = 0, binding = 2) readonly buffer Q { float q[]; };
layout(set = 0, binding = 3) readonly buffer Kv { float kv[]; };
layout(set = 0, binding = 4) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 5) readonly buffer Mask { uint mask[]; };
layout(push_constant) uniform Push { uint outAt, lseAt, qAt, kvAt, biasAt, maskAt, NQ, NK, H, qStep, kvStep; float scale; };

void main() {
	uint q0 = gl_WorkGroupID.x * TILE, h = gl_WorkGroupID.y, sample_ = gl_WorkGroupID.z, row = q0 + ROW;
	uint query = qAt + sample_ * NQ * qStep + h * HEAD, k = kvAt + sample_ * NK * kvStep + h * HEAD, v = k + H * HEAD;
	float sums[COLUMNS];
	[[unroll]] for (uint j = 0; j < COLUMNS; j++) sums[j] = 0.0;
	float top = -infinity(), total = 0.0;
	uint end = CAUSAL ? min(NK, q0 + TILE) : NK;
	for (uint k0 = 0; k0 < end; k0 += TILE) {
		float s[PER];
		[[unroll]] for (uint j = 0; j < PER; j++) s[j] = 0.0;
		LOAD_DOTS(s, q, query, qStep, NQ, q0, kv, k, kvStep, NK, k0)
		float best = top;
		[[unroll]] for (uint j = 0; j < PER; j++) {
			uint key = k0 + LANE + 4 * j;
			s[j] *= scale;
			if (BIAS && row < NQ && key < NK) s[j] += bias[biasAt + (h * NQ + row) * NK + key];
			if (SEES(sample_, row, key)) best = maxNaN(best, s[j]);
			weights[ROW * (TILE + 1) + LANE + 4 * j] = s[j];
		}
		// The four invocations of a row agree on its maximum through shared memory.
		barrier();
		tile[THREAD] = best;
		barrier();
		for (uint l = 0; l < 4; l++) best = maxNaN(best, tile[4 * ROW + l]);
		float shrink = top == -infinity() ? 0.0 : expOf(top - best);
		top = best;
		for (uint j = LANE; j < TILE; j += 4) { // reads no accumulator: see EXPONENTIALS in include/attention.glsl
			uint at = ROW * (TILE + 1) + j;
			weights[at] = SEES(sample_, row, k0 + j) && top != -infinity() ? expOf(weights[at] - top) : 0.0;
		}
		barrier();
		float part = 0.0;
		for (uint i = 0; i < TILE; i++) part += weights[ROW * (TILE + 1) + i];
		total = fma(total, shrink, part);
		[[unroll]] for (uint j = 0; j < COLUMNS; j++) sums[j] *= shrink;
		APPLY(sums, kv, v, kvStep, NK, k0)
	}
	if (row >= NQ) return;
	float inv = top == -infinity() ? 0.0 : 1.0 / total;
	[[unroll]] for (uint j = 0; j < COLUMNS; j++) {
		uint d = LANE + 4 * j;
		if (d < HEAD) outs[outAt + ((sample_ * NQ + row) * H + h) * HEAD + d] = sums[j] * inv;
	}
	if (LANE == 0) lse[lseAt + (sample_ * H + h) * NQ + row] = top + logOf(total);
}
