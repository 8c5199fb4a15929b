#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader AdamW: 5 buffers.
//
// One decoupled AdamW step, unless state says that the gradient is not finite. The factors are those of tensor/internal/kernel's AdamWStep.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0)  buffer P { float p[]; };
layout(set = 0, binding = 1) readonly buffer G { float g[]; };
layout(set = 0, binding = 2)  buffer M { float m[]; };
layout(set = 0, binding = 3)  buffer V { float v[]; };
layout(set = 0, binding = 4) readonly buffer State { float state[]; };
layout(push_constant) uniform Push { uint pAt, gAt, mAt, vAt, stateAt, n; float beta1, rest1, beta2, rest2, keep, rate, root, eps; };

void main() {
	if (state[stateAt + 2] == 0.0) return;
	float scale = state[stateAt + 1];
	EACH(i, n) {
		float grad = g[gAt + i] * scale;
		float m1 = fma(beta1, m[mAt + i], rest1 * grad), m2 = fma(beta2, v[vAt + i], rest2 * (grad * grad));
		m[mAt + i] = m1;
		v[vAt + i] = m2;
		p[pAt + i] = p[pAt + i] * keep - rate * m1 / fma(sqrt(m2), root, eps);
	}
}
