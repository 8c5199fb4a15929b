#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader CodebookEMA: 3 buffers.
//
// codebook[k] = l2norm(decay·codebook[k] + (1−decay)·mean) for rows [K, D], with mean = l2norm(sums[k]/counts[k]) where counts[k] > 0, else
// codebook[k]; norms are bounded below by 1e-12.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0)  buffer Codebook { float codebook[]; };
layout(set = 0, binding = 1) readonly buffer Counts { float counts[]; };
layout(set = 0, binding = 2) readonly buffer Sums { float sums[]; };
layout(push_constant) uniform Push { uint codebookAt, countsAt, sumsAt, K, D; float decay, rest; };

float bounded(float squares) { return max(sqrt(squares), 1e-12); }

void main() {
	uint k = GROUP, n = k < K ? D : 0, row = k * D;
	float count = k < K ? counts[countsAt + k] : 0.0, inv = 1.0;
	bool used = count > 0.0;
	float total = 0.0;
	for (uint d = THREAD; d < n; d += THREADS) {
		float v = used ? sums[sumsAt + row + d] / count : 0.0;
		total = fma(v, v, total);
	}
	total = treeSum(total);
	if (used) inv = 1.0 / bounded(total);
	total = 0.0;
	for (uint d = THREAD; d < n; d += THREADS) {
		float old = codebook[codebookAt + row + d], mean = used ? sums[sumsAt + row + d] / count * inv : old;
		float v = fma(rest, mean, decay * old);
		codebook[codebookAt + row + d] = v;
		total = fma(v, v, total);
	}
	inv = 1.0 / bounded(treeSum(total));
	for (uint d = THREAD; d < n; d += THREADS) codebook[codebookAt + row + d] *= inv;
}
