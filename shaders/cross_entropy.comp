#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"
#include "include/faults.glsl"

// Shader CrossEntropy: 6 buffers.
//
// For rows of logits [R, K]: lse, the log of the softmax's denominator, and in rows [2, R] the loss and whether the row counts. Targets are
// labels (those below 0 do not count) smoothed by s, or with SOFT the rows of soft.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool SOFT = false;
layout(set = 0, binding = 0) writeonly buffer Lse { float lse[]; };
layout(set = 0, binding = 1) writeonly buffer Rows { float rows[]; };
layout(set = 0, binding = 2) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = 3) readonly buffer Labels { int labels[]; };
layout(set = 0, binding = 4) readonly buffer Soft { float soft[]; };
layout(set = 0, binding = 5)  buffer Fault { uint fault[]; };
layout(push_constant) uniform Push { uint lseAt, rowsAt, logitsAt, labelsAt, softAt, faultAt, R, K, first, all; float smoothing; };

void main() {
	uint r = GROUP, count = r < R ? K : 0, row = logitsAt + r * K;
	float top = -infinity();
	for (uint i = THREAD; i < count; i += THREADS) top = maxNaN(top, logits[row + i]);
	top = treeMax(top);
	float sum = 0.0, total = 0.0, weight = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) {
		float x = logits[row + i];
		sum += expOf(x - top);
		if (SOFT) {
			float t = soft[softAt + r * K + i];
			weight += t;
			total = fma(t, top - x, total); // distances from the top keep their last bits
		} else {
			total += top - x;
		}
	}
	float l = logOf(treeSum(sum));
	if (SOFT || smoothing != 0.0) total = treeSum(total);
	if (SOFT) weight = treeSum(weight);
	if (r >= R || THREAD != 0) return;
	lse[lseAt + r] = top + l;
	float loss = 0.0, counts = 1.0;
	if (SOFT) {
		loss = fma(l, weight, total);
	} else {
		int label = labels[labelsAt + r];
		if (label >= int(K)) atomicMax(fault[faultAt], FAULT_CROSS_ENTROPY);
		if (label < 0 || label >= int(K)) {
			counts = 0.0;
		} else {
			loss = l + (1.0 - smoothing) * (top - logits[row + label]);
			if (smoothing != 0.0) loss = fma(smoothing / float(K), total, loss);
		}
	}
	rows[rowsAt + first + r] = loss;
	rows[rowsAt + all + first + r] = counts;
}
