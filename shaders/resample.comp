#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader Resample: 4 buffers.
//
// dst[o, i, k] = Σ_t weights[t]·src[o, first + t − start, k] for start <= t < next, as tensor.ResampleArgs describes. n elements of
// dst [outer, to, inner]; src is [outer, from, inner]; bands [to + 1, 2] are pairs of first and start.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer Src { float src[]; };
layout(set = 0, binding = 2) readonly buffer Bands { uint bands[]; };
layout(set = 0, binding = 3) readonly buffer Weights { float weights[]; };
layout(push_constant) uniform Push { uint dstAt, srcAt, bandsAt, weightsAt, n, from, to, inner; };

void main() {
	EACH(e, n) {
		uint k = e % inner, i = e / inner % to, o = e / inner / to, band = bandsAt + 2 * i;
		uint first = bands[band], start = bands[band + 1], next = bands[band + 3];
		uint at = srcAt + (o * from + first) * inner + k;
		float sum = 0.0;
		for (uint t = start; t < next; t++) sum = fma(weights[weightsAt + t], src[at + (t - start) * inner], sum);
		dst[dstAt + e] = sum;
	}
}
