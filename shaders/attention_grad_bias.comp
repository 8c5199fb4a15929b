#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader AttentionGradBias: 8 buffers.
//
// dBias[h, i, j] (+)= Σ dS over the samples in order, for TILE queries and TILE keys of a head; dS as in attention_grad_q.comp.
layout(constant_id = 1) const bool ADD = false;
layout(constant_id = 2) const bool MASK = false;
layout(constant_id = 3) const bool CAUSAL = false;
layout(set = 0, binding = 0) buffer DBias { float dBias[]; };
layout(set = 0, binding = 1) readonly buffer DOut { float dOut[]; };
layout(set = 0, binding = 2) readonly buffer Q { float q[]; };
layout(set = 0, binding = 3) readonly buffer Kv { float kv[]; };
layout(set = 0, binding = 4) readonly buffer Lse { float lse[]; };
layout(set = 0, binding = 5) readonly buffer Delta { float delta[]; };
layout(set = 0, binding = 6) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 7) readonly buffer Mask { uint mask[]; };
layout(push_constant) uniform Push { uint dBiasAt, dOutAt, qAt, kvAt, lseAt, deltaAt, biasAt, maskAt, NQ, NK, H, qStep, kvStep, samples; float scale; };

void main() {
	uint k0 = gl_WorkGroupID.x * TILE, q0 = gl_WorkGroupID.y * TILE, h = gl_WorkGroupID.z, row = q0 + ROW;
	float sums[PER];
	[[unroll]] for (uint j = 0; j < PER; j++) sums[j] = 0.0;
	uint count = CAUSAL && k0 >= q0 + TILE ? 0 : samples; // no query of the tile sees a key of it
	for (uint sample_ = 0; sample_ < count; sample_++) {
		uint query = qAt + sample_ * NQ * qStep + h * HEAD, k = kvAt + sample_ * NK * kvStep + h * HEAD, v = k + H * HEAD;
		uint up = dOutAt + (sample_ * NQ * H + h) * HEAD, at = (sample_ * H + h) * NQ + min(row, NQ - 1);
		float s[PER], dp[PER];
		[[unroll]] for (uint j = 0; j < PER; j++) s[j] = 0.0, dp[j] = 0.0;
		LOAD_DOTS(s, q, query, qStep, NQ, q0, kv, k, kvStep, NK, k0)
		LOAD_DOTS(dp, dOut, up, H * HEAD, NQ, q0, kv, v, kvStep, NK, k0)
		float l = lse[lseAt + at], del = delta[deltaAt + at];
		for (uint j = 0; j < PER; j++) { // see EXPONENTIALS in include/attention.glsl
			uint key = k0 + LANE + 4 * j;
			if (row < NQ && SEES(sample_, row, key) && l != -infinity())
				sums[j] += expOf(s[j] * scale + bias[biasAt + (h * NQ + row) * NK + key] - l) * (dp[j] - del);
		}
	}
	[[unroll]] for (uint j = 0; j < PER; j++) {
		uint key = k0 + LANE + 4 * j, to = dBiasAt + (h * NQ + row) * NK + key;
		if (row < NQ && key < NK) dBias[to] = ADD ? dBias[to] + sums[j] : sums[j];
	}
}
