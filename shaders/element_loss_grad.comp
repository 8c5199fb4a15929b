#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader ElementLossGrad: 4 buffers.
//
// dx[i] = dy[i], or with ONE dy[0], times the derivative of the loss of x[i] with target t[i]; OP numbers are those of tensor.LossOp. dx may be dy.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint OP = 0;
layout(constant_id = 1) const bool ONE = false;
layout(set = 0, binding = 0) writeonly buffer Dx { float dx[]; };
layout(set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 2) readonly buffer X { float x[]; };
layout(set = 0, binding = 3) readonly buffer T { float t[]; };
layout(push_constant) uniform Push { uint dxAt, dyAt, xAt, tAt, n; float delta; };

float derivative(float v, float target) {
	if (OP == 0) return sigmoidOf(v) - target;
	float d = v - target;
	if (isNaN(d)) return d;
	if (OP == 1) return d > 0.0 ? 1.0 : d < 0.0 ? -1.0 : 0.0;
	return clamp(d, -delta, delta);
}

void main() {
	EACH(i, n) dx[dxAt + i] = dy[dyAt + (ONE ? 0 : i)] * derivative(x[xAt + i], t[tAt + i]);
}
