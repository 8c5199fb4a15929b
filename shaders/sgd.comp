#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader SGD: 4 buffers.
//
// One SGD step with momentum, unless state says that the gradient is not finite; see tensor.SGDHyper.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0)  buffer P { float p[]; };
layout(set = 0, binding = 1) readonly buffer G { float g[]; };
layout(set = 0, binding = 2)  buffer Momentum { float buf[]; };
layout(set = 0, binding = 3) readonly buffer State { float state[]; };
layout(push_constant) uniform Push { uint pAt, gAt, bufAt, stateAt, n, first, nesterov; float lr, decay, momentum; };

void main() {
	if (state[stateAt + 2] == 0.0) return;
	float scale = state[stateAt + 1];
	EACH(i, n) {
		float w = p[pAt + i], d = fma(decay, w, g[gAt + i] * scale);
		float b = first != 0 ? d : fma(momentum, buf[bufAt + i], d);
		buf[bufAt + i] = b;
		p[pAt + i] = fma(-lr, nesterov != 0 ? fma(momentum, b, d) : b, w);
	}
}
