#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/attention.glsl"

// Shader Attention: 6 buffers.
//
// out = softmax(scale·q·kᵀ + bias)·v for ROWS queries of a head, with the running maximum and sum of the softmax; lse is its log-sum-exp. A query
// that sees no key gets zeros and -Inf.
layout(constant_id = 2) const bool BIAS = false;
layout(constant_id = 3) const bool MASK = false;
layout(constant_id = 4) const bool CAUSAL = false;
layout(set = 0, binding = 0) writeonly buffer Out { float outs[]; };
layout(set = 0, binding = 1) writeonly buffer Lse { float lse[]; };
layout(set = 0, binding = 2) readonly buffer Q { float q[]; };
layout(set = 0, binding = 3) readonly buffer Kv { float kv[]; };
layout(set = 0, binding = 4) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 5) readonly buffer Mask { uint mask[]; };
layout(push_constant) uniform Push { uint outAt, lseAt, qAt, kvAt, biasAt, maskAt, NQ, NK, H, qStep, kvStep; float scale; };

#define Q_AT(i) q[i]
#define KV_AT(i) kv[i]

void main() {
	uint q0 = gl_WorkGroupID.x * ROWS, h = gl_WorkGroupID.y, sample_ = gl_WorkGroupID.z, row = q0 + 4 * Y;
	uint query = qAt + sample_ * NQ * qStep + h * HEAD, k = kvAt + sample_ * NK * kvStep + h * HEAD, v = k + H * HEAD;
	uvec4 biasRow = biasAt + (h * NQ + min(row + uvec4(0, 1, 2, 3), NQ - 1)) * NK;
	vec4 sums[2 * COLUMNS], top = vec4(-infinity()), total = vec4(0);
	[[unroll]] for (uint j = 0; j < 2 * COLUMNS; j++) sums[j] = vec4(0);
	uint end = CAUSAL ? min(NK, q0 + ROWS) : NK;
	for (uint k0 = 0; k0 < end; k0 += TILE) {
		vec4 s[2 * PAIRS];
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) s[j] = vec4(0);
		DOTS(s, Q_AT, query, qStep, NQ, q0, KV_AT, k, kvStep, NK, k0)
		vec4 best = top;
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) {
			uint key = k0 + OTHER(j);
			s[j] *= scale;
			if (BIAS) s[j] += FOUR(bias, biasRow + min(key, NK - 1));
			[[unroll]] for (uint i = 0; i < 4; i++) {
				s[j][i] = SEES(sample_, row + i, key) ? s[j][i] : -infinity();
				best[i] = maxNaN(best[i], s[j][i]);
			}
		}
		// The invocations of a row agree on its maximum through shared memory.
		barrier();
		PUT_OWN(VALUES + X * LINE, best);
		barrier();
		[[dont_unroll]] for (uint l = 0; l < ACROSS; l++) {
			vec4 other = OWN(VALUES + l * LINE);
			[[unroll]] for (uint i = 0; i < 4; i++) best[i] = maxNaN(best[i], other[i]);
		}
		bvec4 none = equal(best, vec4(-infinity()));
		vec4 shrink = mix(fourExps(top - best), vec4(0), equal(top, vec4(-infinity())));
		top = best;
		total *= shrink;
		[[unroll]] for (uint j = 0; j < 2 * PAIRS; j++) {
			vec4 w = mix(fourExps(s[j] - top), vec4(0), none);
			total += w;
			PUT_OWN(OTHER(j) * LINE, w);
		}
		[[unroll]] for (uint j = 0; j < 2 * COLUMNS; j++) sums[j] *= shrink;
		APPLY(sums, q0, NQ, KV_AT, v, kvStep, NK, k0)
	}
	// Each invocation of a row has the sum of its own weights.
	barrier();
	PUT_OWN(X * LINE, total);
	barrier();
	total = vec4(0);
	for (uint l = 0; l < ACROSS; l++) total += OWN(l * LINE);
	vec4 logs = top + vec4(logOf(total.x), logOf(total.y), logOf(total.z), logOf(total.w)); // not in the loop: see UNROLLED in include/attention.glsl
	[[unroll]] for (uint i = 0; i < 4; i++) {
		if (row + i < NQ) {
			float inv = top[i] == -infinity() ? 0.0 : 1.0 / total[i];
			[[unroll]] for (uint j = 0; j < 2 * COLUMNS; j++) {
				if (COLUMN(j) < HEAD) outs[outAt + ((sample_ * NQ + row + i) * H + h) * HEAD + COLUMN(j)] = sums[j][i] * inv;
			}
			if (X == 0) lse[lseAt + (sample_ * H + h) * NQ + row + i] = logs[i];
		}
	}
}
