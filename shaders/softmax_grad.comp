#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader SoftmaxGrad: 3 buffers.
//
// dx[m] = y·(dy − Σ dy·y) for row m of [M, K], or with LOG dx[m] = dy − exp(y)·Σ dy; dx may be dy.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool LOG = false;
layout(set = 0, binding = 0) writeonly buffer Dx { float dx[]; };
layout(set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 2) readonly buffer Y { float y[]; };
layout(push_constant) uniform Push { uint dxAt, dyAt, yAt, M, K; };

void main() {
	uint m = GROUP, count = m < M ? K : 0, row = m * K;
	float dot_ = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) dot_ = fma(dy[dyAt + row + i], LOG ? 1.0 : y[yAt + row + i], dot_);
	dot_ = treeSum(dot_);
	for (uint i = THREAD; i < count; i += THREADS) {
		float g = dy[dyAt + row + i], v = y[yAt + row + i];
		dx[dxAt + row + i] = LOG ? g - expOf(v) * dot_ : v * (g - dot_);
	}
}
