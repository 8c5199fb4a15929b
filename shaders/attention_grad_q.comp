#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/half.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader AttentionGradQ: 8 buffers.
//
// dQ (+)= scale·dS·K for ROWS queries of a head, with P = exp(scale·q·kᵀ + bias − lse) and dS = P∘(dOut·vᵀ − delta).
layout(constant_id = 2) const bool BIAS = false;
layout(constant_id = 3) const bool ADD = false;
layout(constant_id = 4) const bool MASK = false;
layout(constant_id = 5) const bool CAUSAL = false;
layout(constant_id = 6) const bool HALF = false; // q and kv are bfloat16
layout(set = 0, binding = 0) buffer Dq { float dq[]; };
layout(set = 0, binding = 1) readonly buffer DOut { float dOut[]; };
layout(set = 0, binding = 2) readonly buffer Q { uint q[]; };
layout(set = 0, binding = 3) readonly buffer Kv { uint kv[]; };
layout(set = 0, binding = 4) readonly buffer Lse { float lse[]; };
layout(set = 0, binding = 5) readonly buffer Delta { float delta[]; };
layout(set = 0, binding = 6) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 7) readonly buffer Mask { uint mask[]; };
layout(push_constant) uniform Push { uint dqAt, dOutAt, qAt, kvAt, lseAt, deltaAt, biasAt, maskAt, NQ, NK, H, qStep, kvStep, dStep; float scale; };

#define Q_AT(i) FLOAT_AT(q, i, HALF)
#define KV_AT(i) FLOAT_AT(kv, i, HALF)
#define D_OUT_AT(i) dOut[i]

void main() {
	uint q0 = gl_WorkGroupID.x * ROWS, h = gl_WorkGroupID.y, sample_ = gl_WorkGroupID.z, row = q0 + 4 * Y;
	uint query = qAt + sample_ * NQ * qStep + h * HEAD, k = kvAt + sample_ * NK * kvStep + h * HEAD, v = k + H * HEAD;
	uint up = dOutAt + (sample_ * NQ * H + h) * HEAD;
	uvec4 rows = min(row + uvec4(0, 1, 2, 3), NQ - 1), at = (sample_ * H + h) * NQ + rows, biasRow = biasAt + (h * NQ + rows) * NK;
	vec4 l = FOUR(lse, lseAt + at), del = FOUR(delta, deltaAt + at);
	vec4 sums[2 * COLUMNS];
	[[unroll]] for (uint j = 0; j < 2 * COLUMNS; j++) sums[j] = vec4(0);
	uint end = CAUSAL ? min(NK, q0 + ROWS) : NK;
	for (uint k0 = 0; k0 < end; k0 += TILE) {
		vec4 s[2 * PAIRS], dp[2 * PAIRS];
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) s[j] = vec4(0), dp[j] = vec4(0);
		DOTS(s, Q_AT, query, qStep, NQ, q0, KV_AT, k, kvStep, NK, k0)
		DOTS(dp, D_OUT_AT, up, H * HEAD, NQ, q0, KV_AT, v, kvStep, NK, k0)
		barrier();
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) {
			uint key = k0 + OTHER(j);
			vec4 x = s[j] * scale;
			if (BIAS) x += FOUR(bias, biasRow + min(key, NK - 1));
			x = fourExps(x - l) * (dp[j] - del);
			[[unroll]] for (uint i = 0; i < 4; i++) x[i] = row + i < NQ && SEES(sample_, row + i, key) && l[i] != -infinity() ? x[i] : 0.0;
			PUT_OWN(OTHER(j) * LINE, x);
		}
		APPLY(sums, q0, NQ, KV_AT, k, kvStep, NK, k0)
	}
	[[unroll]] for (uint i = 0; i < 4; i++) {
		[[unroll]] for (uint j = 0; j < 2 * COLUMNS; j++) {
			uint to = dqAt + (sample_ * NQ + row + i) * dStep + h * HEAD + COLUMN(j);
			if (row + i < NQ && COLUMN(j) < HEAD) dq[to] = ADD ? dq[to] + sums[j][i] * scale : sums[j][i] * scale;
		}
	}
}
