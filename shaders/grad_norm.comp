#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader GradNorm: 2 buffers.
//
// parts[p] = Σ (g·2^-e)² and e over piece p, length of the n elements of g, where 2^e is about the largest of them: so squares neither overflow
// nor vanish.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Parts { float parts[]; };
layout(set = 0, binding = 1) readonly buffer G { float g[]; };
layout(push_constant) uniform Push { uint partsAt, gAt, n, length; };

void main() {
	uint lo = GROUP * length, hi = min(n, lo + length);
	float top = 0.0;
	for (uint i = lo + THREAD; i < hi; i += THREADS) top = maxNaN(top, abs(g[gAt + i]));
	top = treeMax(top);
	uint field = floatBitsToUint(top) >> 23;
	// NaN and infinity get the largest e, or grad_state.comp would drop their piece beside one of large numbers.
	int e = field == 0 ? 0 : clamp(int(field) - 127, -126, 126);
	float scale = pow2(-e), total = 0.0;
	for (uint i = lo + THREAD; i < hi; i += THREADS) {
		float v = g[gAt + i] * scale;
		total = fma(v, v, total);
	}
	total = treeSum(total);
	if (THREAD == 0 && lo < n) parts[partsAt + 2 * GROUP] = total, parts[partsAt + 2 * GROUP + 1] = float(e);
}
