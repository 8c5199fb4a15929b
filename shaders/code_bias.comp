#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader CodeBias: 2 buffers.
//
// bias[k] = −‖codebook[k]‖²/2 for codebook [K, D], the sum carrying what its rounding lost.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Bias { float bias[]; };
layout(set = 0, binding = 1) readonly buffer Codebook { float codebook[]; };
layout(push_constant) uniform Push { uint biasAt, codebookAt, K, D; };

void main() {
	EACH(k, K) {
		float sum = 0.0, lost = 0.0;
		for (uint d = 0; d < D; d++) {
			float v = codebook[codebookAt + k * D + d];
			precise float square = v * v;
			precise float y = fma(v, v, -square) - lost + square;
			precise float t = sum + y;
			precise float back = t - sum;
			lost = back - y;
			sum = t;
		}
		bias[biasAt + k] = -0.5 * sum;
	}
}
