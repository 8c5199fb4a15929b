#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader ElementLoss: 3 buffers.
//
// dst[i] = loss of x[i] with target t[i]; OP numbers are those of tensor.LossOp.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint OP = 0;
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(set = 0, binding = 2) readonly buffer T { float t[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, tAt, n; float delta; };

// bce is max(v, 0) - v*target + log(1+e) with e = exp(-|v|); see tensor/cpu_loss.go about the logarithm.
float bce(float v, float target) {
	float e = expOf(-abs(v));
	precise float u = 1.0 + e;
	precise float rest = u - 1.0;
	float l = rest == 0.0 ? e : logOf(u) * (e / rest);
	return (maxNaN(v, 0.0) - v * target) + l;
}

float huber(float d) {
	float size = abs(d);
	return size <= delta ? 0.5 * d * d : delta * (size - 0.5 * delta);
}

void main() {
	EACH(i, n) {
		float v = x[xAt + i], target = t[tAt + i];
		dst[dstAt + i] = OP == 0 ? bce(v, target) : OP == 1 ? abs(v - target) : huber(v - target);
	}
}
