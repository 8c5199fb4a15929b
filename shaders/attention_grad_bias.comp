#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader AttentionGradBias: 6 buffers.
//
// dBias[h, i, j] (+)= Σ dS over the samples in order, for TILE queries and TILE keys of a head; dS as in attention_grad_q.comp.
layout(constant_id = 1) const bool ADD = false;
layout(set = 0, binding = 0) buffer DBias { float dBias[]; };
layout(set = 0, binding = 1) readonly buffer DOut { float dOut[]; };
layout(set = 0, binding = 2) readonly buffer Qkv { float qkv[]; };
layout(set = 0, binding = 3) readonly buffer Lse { float lse[]; };
layout(set = 0, binding = 4) readonly buffer Delta { float delta[]; };
layout(set = 0, binding = 5) readonly buffer Bias { float bias[]; };
layout(push_constant) uniform Push { uint dBiasAt, dOutAt, qkvAt, lseAt, deltaAt, biasAt, N, H, samples; float scale; };

void main() {
	uint k0 = gl_WorkGroupID.x * TILE, q0 = gl_WorkGroupID.y * TILE, h = gl_WorkGroupID.z, step_ = 3 * H * HEAD, row = q0 + ROW;
	float sums[PER];
	for (uint j = 0; j < PER; j++) sums[j] = 0.0;
	for (uint sample_ = 0; sample_ < samples; sample_++) {
		uint q = qkvAt + sample_ * N * step_ + h * HEAD, k = q + H * HEAD, v = k + H * HEAD;
		uint up = dOutAt + (sample_ * N * H + h) * HEAD, at = (sample_ * H + h) * N + min(row, N - 1);
		float s[PER], dp[PER];
		for (uint j = 0; j < PER; j++) s[j] = 0.0, dp[j] = 0.0;
		LOAD_DOTS(s, qkv, q, step_, q0, qkv, k, step_, k0)
		LOAD_DOTS(dp, dOut, up, H * HEAD, q0, qkv, v, step_, k0)
		float l = lse[lseAt + at], del = delta[deltaAt + at];
		for (uint j = 0; j < PER; j++) {
			uint key = k0 + LANE + 4 * j;
			if (row < N && key < N) sums[j] += expOf(s[j] * scale + bias[biasAt + (h * N + row) * N + key] - l) * (dp[j] - del);
		}
	}
	for (uint j = 0; j < PER; j++) {
		uint key = k0 + LANE + 4 * j, to = dBiasAt + (h * N + row) * N + key;
		if (row < N && key < N) dBias[to] = ADD ? dBias[to] + sums[j] : sums[j];
	}
}
