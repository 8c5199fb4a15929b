#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader GradState: 2 buffers.
//
// state = {norm, factor, finite} from the parts of grad_norm.comp, by one workgroup in a fixed order.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer State { float state[]; };
layout(set = 0, binding = 1) readonly buffer Parts { float parts[]; };
layout(push_constant) uniform Push { uint stateAt, partsAt, pieces; float maxNorm; };

void main() {
	float top = -infinity();
	for (uint p = THREAD; p < pieces; p += THREADS) {
		if (parts[partsAt + 2 * p] != 0.0) top = max(top, parts[partsAt + 2 * p + 1]);
	}
	top = treeMax(top);
	int e = top < -200.0 ? 0 : int(top);
	float total = 0.0;
	for (uint p = THREAD; p < pieces; p += THREADS) {
		int apart = int(parts[partsAt + 2 * p + 1]) - e;
		float part = parts[partsAt + 2 * p];
		// An empty piece has exponent 0, which may be above the top.
		if (part != 0.0) total += apart < -60 ? 0.0 : part * pow2(2 * apart);
	}
	total = treeSum(total);
	if (THREAD != 0) return;
	float norm = sqrt(total) * pow2(e);
	uint bits = floatBitsToUint(norm) & 0x7fffffffu;
	state[stateAt] = norm;
	state[stateAt + 1] = maxNorm > 0.0 ? minNaN(1.0, maxNorm / (norm + 1e-6)) : 1.0;
	state[stateAt + 2] = bits >= 0x7f800000u ? 0.0 : 1.0;
}
