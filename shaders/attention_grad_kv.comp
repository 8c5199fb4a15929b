#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/half.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader AttentionGradKV: 8 buffers.
//
// dV (+)= Pᵀ·dOut and dK (+)= scale·dSᵀ·Q for ROWS keys of a head; P and dS as in attention_grad_q.comp. Rows here are keys.
layout(constant_id = 2) const bool BIAS = false;
layout(constant_id = 3) const bool ADD = false;
layout(constant_id = 4) const bool MASK = false;
layout(constant_id = 5) const bool CAUSAL = false;
layout(constant_id = 6) const bool HALF = false; // q and kv are bfloat16
layout(set = 0, binding = 0) buffer Dkv { float dkv[]; };
layout(set = 0, binding = 1) readonly buffer DOut { float dOut[]; };
layout(set = 0, binding = 2) readonly buffer Q { uint q[]; };
layout(set = 0, binding = 3) readonly buffer Kv { uint kv[]; };
layout(set = 0, binding = 4) readonly buffer Lse { float lse[]; };
layout(set = 0, binding = 5) readonly buffer Delta { float delta[]; };
layout(set = 0, binding = 6) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 7) readonly buffer Mask { uint mask[]; };
layout(push_constant) uniform Push { uint dkvAt, dOutAt, qAt, kvAt, lseAt, deltaAt, biasAt, maskAt, NQ, NK, H, qStep, kvStep, dStep; float scale; };

#define Q_AT(i) FLOAT_AT(q, i, HALF)
#define KV_AT(i) FLOAT_AT(kv, i, HALF)
#define D_OUT_AT(i) dOut[i]

void main() {
	uint k0 = gl_WorkGroupID.x * ROWS, h = gl_WorkGroupID.y, sample_ = gl_WorkGroupID.z, key = k0 + 4 * Y;
	uint query = qAt + sample_ * NQ * qStep + h * HEAD, k = kvAt + sample_ * NK * kvStep + h * HEAD, v = k + H * HEAD;
	uint up = dOutAt + (sample_ * NQ * H + h) * HEAD, at = (sample_ * H + h) * NQ;
	uvec4 keys = min(key + uvec4(0, 1, 2, 3), NK - 1);
	vec4 dv[2 * COLUMNS], dk[2 * COLUMNS];
	[[unroll]] for (uint j = 0; j < 2 * COLUMNS; j++) dv[j] = vec4(0), dk[j] = vec4(0);
	for (uint q0 = CAUSAL ? k0 : 0; q0 < NQ; q0 += TILE) {
		vec4 s[2 * PAIRS], dp[2 * PAIRS];
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) s[j] = vec4(0), dp[j] = vec4(0);
		DOTS(s, KV_AT, k, kvStep, NK, k0, Q_AT, query, qStep, NQ, q0)
		DOTS(dp, KV_AT, v, kvStep, NK, k0, D_OUT_AT, up, H * HEAD, NQ, q0)
		barrier();
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) {
			uint row = q0 + OTHER(j), there = min(row, NQ - 1);
			float l = lse[lseAt + at + there];
			vec4 x = s[j] * scale;
			if (BIAS) x += FOUR(bias, biasAt + (h * NQ + there) * NK + keys);
			vec4 p = fourExps(x - l);
			s[j] = p * (dp[j] - delta[deltaAt + at + there]);
			[[unroll]] for (uint i = 0; i < 4; i++) {
				bool seen = row < NQ && SEES(sample_, row, key + i) && l != -infinity();
				p[i] = seen ? p[i] : 0.0;
				s[j][i] = seen ? s[j][i] : 0.0;
			}
			PUT_OWN(OTHER(j) * LINE, p);
		}
		APPLY(dv, k0, NK, D_OUT_AT, up, H * HEAD, NQ, q0)
		barrier();
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) PUT_OWN(OTHER(j) * LINE, s[j]);
		APPLY(dk, k0, NK, Q_AT, query, qStep, NQ, q0)
	}
	[[unroll]] for (uint i = 0; i < 4; i++) {
		[[unroll]] for (uint j = 0; j < 2 * COLUMNS; j++) {
			uint to = dkvAt + (sample_ * NK + key + i) * dStep + h * HEAD + COLUMN(j);
			if (key + i < NK && COLUMN(j) < HEAD) {
				dkv[to] = ADD ? dkv[to] + dk[j][i] * scale : dk[j][i] * scale;
				to += H * HEAD;
				dkv[to] = ADD ? dkv[to] + dv[j][i] : dv[j][i];
			}
		}
	}
}
