#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/half.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader AttentionGradBias: 8 buffers.
//
// dBias[h, i, j] (+)= Σ dS over the samples in order, for ROWS queries and TILE keys of a head; dS as in attention_grad_q.comp.
layout(constant_id = 2) const bool ADD = false;
layout(constant_id = 3) const bool MASK = false;
layout(constant_id = 4) const bool CAUSAL = false;
layout(constant_id = 5) const bool HALF = false; // q and kv are bfloat16
layout(set = 0, binding = 0) buffer DBias { float dBias[]; };
layout(set = 0, binding = 1) readonly buffer DOut { float dOut[]; };
layout(set = 0, binding = 2) readonly buffer Q { uint q[]; };
layout(set = 0, binding = 3) readonly buffer Kv { uint kv[]; };
layout(set = 0, binding = 4) readonly buffer Lse { float lse[]; };
layout(set = 0, binding = 5) readonly buffer Delta { float delta[]; };
layout(set = 0, binding = 6) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 7) readonly buffer Mask { uint mask[]; };
layout(push_constant) uniform Push { uint dBiasAt, dOutAt, qAt, kvAt, lseAt, deltaAt, biasAt, maskAt, NQ, NK, H, qStep, kvStep, samples; float scale; };

#define Q_AT(i) FLOAT_AT(q, i, HALF)
#define KV_AT(i) FLOAT_AT(kv, i, HALF)
#define D_OUT_AT(i) dOut[i]

void main() {
	uint k0 = gl_WorkGroupID.x * TILE, q0 = gl_WorkGroupID.y * ROWS, h = gl_WorkGroupID.z, row = q0 + 4 * Y;
	uvec4 rows = min(row + uvec4(0, 1, 2, 3), NQ - 1), biasRow = biasAt + (h * NQ + rows) * NK;
	vec4 sums[2 * PAIRS];
	[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) sums[j] = vec4(0);
	uint count = CAUSAL && k0 >= q0 + ROWS ? 0 : samples; // no query of the tile sees a key of it
	for (uint sample_ = 0; sample_ < count; sample_++) {
		uint query = qAt + sample_ * NQ * qStep + h * HEAD, k = kvAt + sample_ * NK * kvStep + h * HEAD, v = k + H * HEAD;
		uint up = dOutAt + (sample_ * NQ * H + h) * HEAD;
		uvec4 at = (sample_ * H + h) * NQ + rows;
		vec4 s[2 * PAIRS], dp[2 * PAIRS];
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) s[j] = vec4(0), dp[j] = vec4(0);
		DOTS(s, Q_AT, query, qStep, NQ, q0, KV_AT, k, kvStep, NK, k0)
		DOTS(dp, D_OUT_AT, up, H * HEAD, NQ, q0, KV_AT, v, kvStep, NK, k0)
		vec4 l = FOUR(lse, lseAt + at), del = FOUR(delta, deltaAt + at);
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) {
			uint key = k0 + OTHER(j);
			vec4 x = s[j] * scale + FOUR(bias, biasRow + min(key, NK - 1));
			x = fourExps(x - l) * (dp[j] - del);
			[[unroll]] for (uint i = 0; i < 4; i++) {
				if (row + i < NQ && SEES(sample_, row + i, key) && l[i] != -infinity()) sums[j][i] += x[i];
			}
		}
	}
	[[unroll]] for (uint i = 0; i < 4; i++) {
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) {
			uint key = k0 + OTHER(j), to = dBiasAt + (h * NQ + row + i) * NK + key;
			if (row + i < NQ && key < NK) dBias[to] = ADD ? dBias[to] + sums[j][i] : sums[j][i];
		}
	}
}
