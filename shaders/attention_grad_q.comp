#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader AttentionGradQ: 8 buffers.
//
// dQ (+)= scale·dS·K for TILE queries of a head, with P = exp(scale·q·kᵀ + bias − lse) and dS = P∘(dOut·vᵀ − delta).
layout(constant_id = 1) const bool BIAS = false;
layout(constant_id = 2) const bool ADD = false;
layout(constant_id = 3) const bool MASK = false;
layout(constant_id = 4) const bool CAUSAL = false;
layout(set = 0, binding = 0) buffer Dq { float dq[]; };
layout(set = 0, binding = 1) readonly buffer DOut { float dOut[]; };
layout(set = 0, binding = 2) readonly buffer Q { float q[]; };
layout(set = 0, binding = 3) readonly buffer Kv { float kv[]; };
layout(set = 0, binding = 4) readonly buffer Lse { float lse[]; };
layout(set = 0, binding = 5) readonly buffer Delta { float delta[]; };
layout(set = 0, binding = 6) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 7) readonly buffer Mask { uint mask[]; };
layout(push_constant) uniform Push { uint dqAt, dOutAt, qAt, kvAt, lseAt, deltaAt, biasAt, maskAt, NQ, NK, H, qStep, kvStep, dStep; float scale; };

void main() {
	uint q0 = gl_WorkGroupID.x * TILE, h = gl_WorkGroupID.y, sample_ = gl_WorkGroupID.z, row = q0 + ROW;
	uint query = qAt + sample_ * NQ * qStep + h * HEAD, k = kvAt + sample_ * NK * kvStep + h * HEAD, v = k + H * HEAD;
	uint up = dOutAt + (sample_ * NQ * H + h) * HEAD, at = (sample_ * H + h) * NQ + min(row, NQ - 1);
	float l = lse[lseAt + at], del = delta[deltaAt + at];
	float sums[COLUMNS];
	[[unroll]] for (uint j = 0; j < COLUMNS; j++) sums[j] = 0.0;
	uint end = CAUSAL ? min(NK, q0 + TILE) : NK;
	for (uint k0 = 0; k0 < end; k0 += TILE) {
		float s[PER], dp[PER];
		[[unroll]] for (uint j = 0; j < PER; j++) s[j] = 0.0, dp[j] = 0.0;
		LOAD_DOTS(s, q, query, qStep, NQ, q0, kv, k, kvStep, NK, k0)
		LOAD_DOTS(dp, dOut, up, H * HEAD, NQ, q0, kv, v, kvStep, NK, k0)
		for (uint j = 0; j < PER; j++) { // see EXPONENTIALS in include/attention.glsl
			uint key = k0 + LANE + 4 * j;
			bool in_ = row < NQ && SEES(sample_, row, key) && l != -infinity();
			float x = s[j] * scale;
			if (BIAS && in_) x += bias[biasAt + (h * NQ + row) * NK + key];
			weights[ROW * (TILE + 1) + LANE + 4 * j] = in_ ? expOf(x - l) * (dp[j] - del) : 0.0;
		}
		APPLY(sums, kv, k, kvStep, NK, k0)
	}
	if (row >= NQ) return;
	[[unroll]] for (uint j = 0; j < COLUMNS; j++) {
		uint d = LANE + 4 * j, to = dqAt + (sample_ * NQ + row) * dStep + h * HEAD + d;
		if (d < HEAD) dq[to] = ADD ? dq[to] + sums[j] * scale : sums[j] * scale;
	}
}
