#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader LinearUpstream: 5 buffers.
//
// What of dy [M, N] reaches x·wᵀ + bias: dy·GELU'(s) for the saved s, or dy·keep[row / perSample]·gamma.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool GELU = false;
layout(constant_id = 1) const bool GAMMA = false;
layout(constant_id = 2) const bool KEEP = false;
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 2) readonly buffer Saved { float saved[]; };
layout(set = 0, binding = 3) readonly buffer Gamma { float gamma[]; };
layout(set = 0, binding = 4) readonly buffer Keep { float keep[]; };
layout(push_constant) uniform Push { uint dstAt, dyAt, savedAt, gammaAt, keepAt, n, N, first, perSample; };

void main() {
	EACH(i, n) {
		float v = dy[dyAt + i];
		if (GELU) v *= geluGrad(saved[savedAt + i]);
		if (KEEP) v *= keep[keepAt + (first + i / N) / perSample];
		if (GAMMA) v *= gamma[gammaAt + i % N];
		dst[dstAt + i] = v;
	}
}
