#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader MeanLoss: 2 buffers.
//
// dst[0] = Σ rows[0, r] / max(1, Σ rows[1, r]) for rows [2, R], by one workgroup in a fixed order; with COUNT, dst[0] = Σ rows[1, r].
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool COUNT = false;
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer Rows { float rows[]; };
layout(push_constant) uniform Push { uint dstAt, rowsAt, R; };

// Each sum carries what its rounding lost.
void add(inout float sum, inout float lost, float v) {
	precise float y = v - lost;
	precise float t = sum + y;
	precise float d = t - sum;
	lost = d - y;
	sum = t;
}

void main() {
	float loss = 0.0, lost = 0.0, counts = 0.0;
	for (uint r = THREAD; r < R; r += THREADS) {
		add(loss, lost, rows[rowsAt + r]);
		counts += rows[rowsAt + R + r];
	}
	loss = treeSum(loss);
	counts = treeSum(counts);
	if (THREAD == 0) dst[dstAt] = COUNT ? counts : loss / max(1.0, counts);
}
