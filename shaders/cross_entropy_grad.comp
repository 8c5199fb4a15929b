#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader CrossEntropyGrad: 7 buffers.
//
// dlogits = dloss/max(1, count)·(softmax·Σ target − target) for rows [R, K]; 0 for rows that do not count. See cross_entropy.comp.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool SOFT = false;
layout(set = 0, binding = 0) writeonly buffer Dlogits { float dlogits[]; };
layout(set = 0, binding = 1) readonly buffer Dloss { float dloss[]; };
layout(set = 0, binding = 2) readonly buffer Count { float count[]; };
layout(set = 0, binding = 3) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = 4) readonly buffer Lse { float lse[]; };
layout(set = 0, binding = 5) readonly buffer Labels { int labels[]; };
layout(set = 0, binding = 6) readonly buffer Soft { float soft[]; };
layout(push_constant) uniform Push { uint dlogitsAt, dlossAt, countAt, logitsAt, lseAt, labelsAt, softAt, R, K; float smoothing, rows; };

void main() {
	uint r = GROUP, n = r < R ? K : 0, row = r * K;
	float up = dloss[dlossAt] / max(1.0, SOFT ? rows : count[countAt]), l = r < R ? lse[lseAt + r] : 0.0;
	float weight = 1.0;
	int label = -1;
	if (SOFT) {
		weight = 0.0;
		for (uint i = THREAD; i < n; i += THREADS) weight += soft[softAt + row + i];
		weight = treeSum(weight);
	} else if (r < R) {
		label = labels[labelsAt + r];
		if (label >= int(K)) label = -1;
	}
	for (uint i = THREAD; i < n; i += THREADS) {
		float d = 0.0;
		if (SOFT || label >= 0) {
			d = expOf(logits[logitsAt + row + i] - l);
			if (SOFT) {
				d = up * fma(d, weight, -soft[softAt + row + i]);
			} else {
				d = up * (d - smoothing / float(K));
				if (i == uint(label)) d -= up * (1.0 - smoothing);
			}
		}
		dlogits[dlogitsAt + row + i] = d;
	}
}
