#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"

// What of dy [M, N] reaches x·wᵀ + bias: KIND 1: dy·GELU'(s) for the saved s; KIND 2: dy·keep[row / perSample]·gamma; KIND 3: dy·keep·s, whose
// sum over rows is the gradient of gamma.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint KIND = 1;
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
		if (KIND == 1) v *= geluGrad(saved[savedAt + i]);
		if (KEEP) v *= keep[keepAt + (first + i / N) / perSample];
		if (KIND == 2 && GAMMA) v *= gamma[gammaAt + i % N];
		if (KIND == 3) {
			// A sample that is dropped says nothing about gamma, whatever its branch holds.
			bool dropped = KEEP && keep[keepAt + (first + i / N) / perSample] == 0.0;
			v = dropped ? 0.0 : v * saved[savedAt + i];
		}
		dst[dstAt + i] = v;
	}
}
