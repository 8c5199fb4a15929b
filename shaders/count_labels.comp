#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader CountLabels: 2 buffers.
//
// rows[1, r] = 1 where the label of row r counts, for rows [2, R]: labels from 0 to K-1 do.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Rows { float rows[]; };
layout(set = 0, binding = 1) readonly buffer Labels { int labels[]; };
layout(push_constant) uniform Push { uint rowsAt, labelsAt, R, K; };

void main() {
	EACH(r, R) {
		int label = labels[labelsAt + r];
		rows[rowsAt + r] = 0.0;
		rows[rowsAt + R + r] = label >= 0 && label < int(K) ? 1.0 : 0.0;
	}
}
