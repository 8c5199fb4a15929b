#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/half.glsl"
#include "include/math.glsl"

// Shader LinearUpstream: 7 buffers.
//
// What of dy [M, N] reaches x·wᵀ + bias: dst = dy·GELU'(s) for the saved s, which is bfloat16 with HALF, or dy·keep[row / perSample]·gamma. unscaled
// lacks gamma, with both. With SUMS parts[p] is the sum of that without gamma over the rows of piece p: length of the M rows. An invocation does a
// column of a piece.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool GELU = false;
layout(constant_id = 1) const bool GAMMA = false;
layout(constant_id = 2) const bool KEEP = false;
layout(constant_id = 3) const bool SUMS = false;
layout(constant_id = 4) const bool HALF = false;
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) writeonly buffer Unscaled { float unscaled[]; };
layout(set = 0, binding = 2) writeonly buffer Parts { float parts[]; };
layout(set = 0, binding = 3) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 4) readonly buffer Saved { uint saved[]; };
layout(set = 0, binding = 5) readonly buffer Gamma { float gamma[]; };
layout(set = 0, binding = 6) readonly buffer Keep { float keep[]; };
layout(push_constant) uniform Push { uint dstAt, unscaledAt, partsAt, dyAt, savedAt, gammaAt, keepAt, M, N, first, perSample, pieces, length; };

void main() {
	uint t = GROUP * THREADS + THREAD, piece = t / N, c = t % N, last = min(M, (piece + 1) * length);
	if (piece >= pieces) return;
	float sum = 0.0;
	for (uint r = piece * length; r < last; r++) {
		uint i = r * N + c;
		precise float v = dy[dyAt + i]; // rounded before it is added
		if (GELU) v *= geluGrad(FLOAT_AT(saved, savedAt + i, HALF));
		if (KEEP) v *= keep[keepAt + (first + r) / perSample];
		sum += v;
		if (GAMMA) {
			if (KEEP) unscaled[unscaledAt + i] = v;
			v *= gamma[gammaAt + c];
		}
		dst[dstAt + i] = v;
	}
	if (SUMS) parts[partsAt + t] = sum;
}
