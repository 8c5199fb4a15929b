#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader UnaryGrad: 3 buffers.
//
// dx[i] = dy[i]·op'(s[i]), where s is the input or the output of op, as tensor.UnaryOp.Needs tells.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint OP = 0;
layout(set = 0, binding = 0) writeonly buffer Dx { float dx[]; };
layout(set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 2) readonly buffer S { float s[]; };
layout(push_constant) uniform Push { uint dxAt, dyAt, sAt, n; };

float apply(float g, float v) {
	switch (OP) {
	case 0: return g * v;
	case 1: return g / v;
	case 2: return g * 0.5 / v;
	case 3: return g * fma(-v, v, 1.0);
	case 4: return g * (v * (1.0 - v));
	case 5: return g * geluGrad(v);
	case 6: return g * quickGELUGrad(v);
	case 7: return v > 0.0 ? g : 0.0;
	}
	return v > 0.0 ? g : v < 0.0 ? -g : v; // 0, or NaN
}

void main() {
	EACH(i, n) dx[dxAt + i] = apply(dy[dyAt + i], s[sAt + i]);
}
