#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader AttentionGradKV: 6 buffers.
//
// dV (+)= Pᵀ·dOut and dK (+)= scale·dSᵀ·Q for TILE keys of a head; P and dS as in attention_grad_q.comp. Rows here are keys.
layout(constant_id = 1) const bool BIAS = false;
layout(constant_id = 2) const bool ADD = false;
layout(set = 0, binding = 0) buffer Dqkv { float dqkv[]; };
layout(set = 0, binding = 1) readonly buffer DOut { float dOut[]; };
layout(set = 0, binding = 2) readonly buffer Qkv { float qkv[]; };
layout(set = 0, binding = 3) readonly buffer Lse { float lse[]; };
layout(set = 0, binding = 4) readonly buffer Delta { float delta[]; };
layout(set = 0, binding = 5) readonly buffer Bias { float bias[]; };
layout(push_constant) uniform Push { uint dqkvAt, dOutAt, qkvAt, lseAt, deltaAt, biasAt, N, H; float scale; };

void main() {
	uint k0 = gl_WorkGroupID.x * TILE, h = gl_WorkGroupID.y, sample_ = gl_WorkGroupID.z, step_ = 3 * H * HEAD;
	uint first = sample_ * N * step_ + h * HEAD, q = qkvAt + first, k = q + H * HEAD, v = k + H * HEAD, key = k0 + ROW;
	uint up = dOutAt + (sample_ * N * H + h) * HEAD, at = (sample_ * H + h) * N;
	float dv[COLUMNS], dk[COLUMNS];
	for (uint j = 0; j < COLUMNS; j++) dv[j] = 0.0, dk[j] = 0.0;
	for (uint q0 = 0; q0 < N; q0 += TILE) {
		float s[PER], dp[PER];
		for (uint j = 0; j < PER; j++) s[j] = 0.0, dp[j] = 0.0;
		LOAD_DOTS(s, qkv, k, step_, k0, qkv, q, step_, q0)
		LOAD_DOTS(dp, qkv, v, step_, k0, dOut, up, H * HEAD, q0)
		for (uint j = 0; j < PER; j++) {
			uint row = q0 + LANE + 4 * j;
			bool in_ = row < N && key < N;
			float x = s[j] * scale;
			if (BIAS && in_) x += bias[biasAt + (h * N + row) * N + key];
			float p = in_ ? expOf(x - lse[lseAt + at + row]) : 0.0;
			s[j] = in_ ? p * (dp[j] - delta[deltaAt + at + row]) : 0.0;
			weights[ROW * (TILE + 1) + LANE + 4 * j] = p;
		}
		APPLY(dv, dOut, up, H * HEAD, q0)
		barrier();
		for (uint j = 0; j < PER; j++) weights[ROW * (TILE + 1) + LANE + 4 * j] = s[j];
		APPLY(dk, qkv, q, step_, q0)
	}
	if (key >= N) return;
	for (uint j = 0; j < COLUMNS; j++) {
		uint d = LANE + 4 * j, to = dqkvAt + first + key * step_ + H * HEAD + d;
		if (d >= HEAD) continue;
		dqkv[to] = ADD ? dqkv[to] + dk[j] * scale : dk[j] * scale;
		to += H * HEAD;
		dqkv[to] = ADD ? dqkv[to] + dv[j] : dv[j];
	}
}
