#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader AttentionDelta: 3 buffers.
//
// delta[b, h, n] = dOut·out over the columns of head h of row n.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Delta { float delta[]; };
layout(set = 0, binding = 1) readonly buffer DOut { float dOut[]; };
layout(set = 0, binding = 2) readonly buffer Out { float outs[]; };
layout(push_constant) uniform Push { uint deltaAt, dOutAt, outAt, n, N, H, D; };

void main() {
	EACH(i, n) {
		uint row = i % N, h = i / N % H, from = ((i / N / H * N + row) * H + h) * D;
		float sum = 0.0;
		for (uint d = 0; d < D; d++) sum = fma(dOut[dOutAt + from + d], outs[outAt + from + d], sum);
		delta[deltaAt + i] = sum;
	}
}
