#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader LayerScaleGrad: 8 buffers.
//
// For y = gamma ⊙ (x·wᵀ + bias), by row n of w: given g = dᵀ·x [N, K] and sums[n] = Σ d[:, n] in pieces [pieces, N] for d, the gradient of y,
// dw[n] (+)= gamma[n]·g[n], dbias[n] (+)= gamma[n]·sums[n] and dgamma[n] (+)= w[n]·g[n] + bias[n]·sums[n]. A workgroup does a row.
#define ABSENT 0
#define ADD 2
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint DW = 1; // ABSENT, 1 to be written or ADD
layout(constant_id = 1) const uint DBIAS = 1;
layout(constant_id = 2) const uint DGAMMA = 1;
layout(constant_id = 3) const bool BIAS = false;
layout(set = 0, binding = 0) buffer Dw { float dw[]; };
layout(set = 0, binding = 1) buffer Dbias { float dbias[]; };
layout(set = 0, binding = 2) buffer Dgamma { float dgamma[]; };
layout(set = 0, binding = 3) readonly buffer G { float g[]; };
layout(set = 0, binding = 4) readonly buffer W { float w[]; };
layout(set = 0, binding = 5) readonly buffer Gamma { float gamma[]; };
layout(set = 0, binding = 6) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 7) readonly buffer Sums { float sums[]; };
layout(push_constant) uniform Push { uint dwAt, dbiasAt, dgammaAt, gAt, wAt, gammaAt, biasAt, sumsAt, rows, K, N, pieces; };

void main() {
	uint n = GROUP;
	bool live = n < rows;
	uint count = live ? K : 0;
	float scale = live ? gamma[gammaAt + n] : 0.0, dot = 0.0;
	for (uint k = THREAD; k < count; k += THREADS) {
		float v = g[gAt + n * K + k];
		if (DGAMMA != ABSENT) dot = fma(w[wAt + n * K + k], v, dot);
		if (DW != ABSENT) dw[dwAt + n * K + k] = fma(scale, v, DW == ADD ? dw[dwAt + n * K + k] : 0.0);
	}
	dot = treeSum(dot);
	if (!live || THREAD != 0) return;
	float s = 0.0;
	for (uint p = 0; p < pieces; p++) s += sums[sumsAt + p * N + n];
	if (DBIAS != ABSENT) dbias[dbiasAt + n] = fma(scale, s, DBIAS == ADD ? dbias[dbiasAt + n] : 0.0);
	if (DGAMMA != ABSENT) {
		if (BIAS) dot = fma(bias[biasAt + n], s, dot);
		dgamma[dgammaAt + n] = DGAMMA == ADD ? dgamma[dgammaAt + n] + dot : dot;
	}
}
