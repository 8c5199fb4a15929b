#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader AttentionGradQ: 6 buffers.
//
// dQ (+)= scale·dS·K for TILE queries of a head, with P = exp(scale·q·kᵀ + bias − lse) and dS = P∘(dOut·vᵀ − delta).
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
	uint q0 = gl_WorkGroupID.x * TILE, h = gl_WorkGroupID.y, sample_ = gl_WorkGroupID.z, step_ = 3 * H * HEAD;
	uint first = sample_ * N * step_ + h * HEAD, q = qkvAt + first, k = q + H * HEAD, v = k + H * HEAD, row = q0 + ROW;
	uint up = dOutAt + (sample_ * N * H + h) * HEAD, at = (sample_ * H + h) * N + min(row, N - 1);
	float l = lse[lseAt + at], del = delta[deltaAt + at];
	float sums[COLUMNS];
	for (uint j = 0; j < COLUMNS; j++) sums[j] = 0.0;
	for (uint k0 = 0; k0 < N; k0 += TILE) {
		float s[PER], dp[PER];
		for (uint j = 0; j < PER; j++) s[j] = 0.0, dp[j] = 0.0;
		LOAD_DOTS(s, qkv, q, step_, q0, qkv, k, step_, k0)
		LOAD_DOTS(dp, dOut, up, H * HEAD, q0, qkv, v, step_, k0)
		for (uint j = 0; j < PER; j++) {
			uint key = k0 + LANE + 4 * j;
			bool in_ = row < N && key < N;
			float x = s[j] * scale;
			if (BIAS && in_) x += bias[biasAt + (h * N + row) * N + key];
			weights[ROW * (TILE + 1) + LANE + 4 * j] = in_ ? expOf(x - l) * (dp[j] - del) : 0.0;
		}
		APPLY(sums, qkv, k, step_, k0)
	}
	if (row >= N) return;
	for (uint j = 0; j < COLUMNS; j++) {
		uint d = LANE + 4 * j, to = dqkvAt + first + row * step_ + d;
		if (d < HEAD) dqkv[to] = ADD ? dqkv[to] + sums[j] * scale : sums[j] * scale;
	}
}
