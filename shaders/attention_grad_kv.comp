#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader AttentionGradKV: 8 buffers.
//
// dV (+)= Pᵀ·dOut and dK (+)= scale·dSᵀ·Q for TILE keys of a head; P and dS as in attention_grad_q.comp. Rows here are keys.
layout(constant_id = 1) const bool BIAS = false;
layout(constant_id = 2) const bool ADD = false;
layout(constant_id = 3) const bool MASK = false;
layout(constant_id = 4) const bool CAUSAL = false;
layout(set = 0, binding = 0) buffer Dkv { float dkv[]; };
layout(set = 0, binding = 1) readonly buffer DOut { float dOut[]; };
layout(set = 0, binding = 2) readonly buffer Q { float q[]; };
layout(set = 0, binding = 3) readonly buffer Kv { float kv[]; };
layout(set = 0, binding = 4) readonly buffer Lse { float lse[]; };
layout(set = 0, binding = 5) readonly buffer Delta { float delta[]; };
layout(set = 0, binding = 6) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 7) readonly buffer Mask { uint mask[]; };
layout(push_constant) uniform Push { uint dkvAt, dOutAt, qAt, kvAt, lseAt, deltaAt, biasAt, maskAt, NQ, NK, H, qStep, kvStep, dStep; float scale; };

void main() {
	uint k0 = gl_WorkGroupID.x * TILE, h = gl_WorkGroupID.y, sample_ = gl_WorkGroupID.z, key = k0 + ROW;
	uint query = qAt + sample_ * NQ * qStep + h * HEAD, k = kvAt + sample_ * NK * kvStep + h * HEAD, v = k + H * HEAD;
	uint up = dOutAt + (sample_ * NQ * H + h) * HEAD, at = (sample_ * H + h) * NQ;
	float dv[COLUMNS], dk[COLUMNS];
	[[unroll]] for (uint j = 0; j < COLUMNS; j++) dv[j] = 0.0, dk[j] = 0.0;
	for (uint q0 = CAUSAL ? k0 : 0; q0 < NQ; q0 += TILE) {
		float s[PER], dp[PER];
		[[unroll]] for (uint j = 0; j < PER; j++) s[j] = 0.0, dp[j] = 0.0;
		LOAD_DOTS(s, kv, k, kvStep, NK, k0, q, query, qStep, NQ, q0)
		LOAD_DOTS(dp, kv, v, kvStep, NK, k0, dOut, up, H * HEAD, NQ, q0)
		for (uint j = 0; j < PER; j++) { // see EXPONENTIALS in include/attention.glsl
			uint row = q0 + LANE + 4 * j;
			bool in_ = row < NQ && SEES(sample_, row, key);
			float l = in_ ? lse[lseAt + at + row] : 0.0;
			in_ = in_ && l != -infinity();
			float x = s[j] * scale;
			if (BIAS && in_) x += bias[biasAt + (h * NQ + row) * NK + key];
			float p = in_ ? expOf(x - l) : 0.0;
			s[j] = in_ ? p * (dp[j] - delta[deltaAt + at + row]) : 0.0;
			weights[ROW * (TILE + 1) + LANE + 4 * j] = p;
		}
		APPLY(dv, dOut, up, H * HEAD, NQ, q0)
		barrier();
		[[unroll]] for (uint j = 0; j < PER; j++) weights[ROW * (TILE + 1) + LANE + 4 * j] = s[j];
		APPLY(dk, q, query, qStep, NQ, q0)
	}
	if (key >= NK) return;
	[[unroll]] for (uint j = 0; j < COLUMNS; j++) {
		uint d = LANE + 4 * j, to = dkvAt + (sample_ * NK + key) * dStep + h * HEAD + d;
		if (d < HEAD) {
			dkv[to] = ADD ? dkv[to] + dk[j] * scale : dk[j] * scale;
			to += H * HEAD;
			dkv[to] = ADD ? dkv[to] + dv[j] : dv[j];
		}
	}
}
