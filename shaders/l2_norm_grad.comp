#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader L2NormGrad: 4 buffers.
//
// dx[m] = (dy[m] − y[m]·(y[m]·dy[m]))/norm[m], or dy[m]/eps where norm[m] ≤ eps, for rows [M, D].
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Dx { float dx[]; };
layout(set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 2) readonly buffer Y { float y[]; };
layout(set = 0, binding = 3) readonly buffer Norm { float norm[]; };
layout(push_constant) uniform Push { uint dxAt, dyAt, yAt, normAt, M, D; float eps; };

void main() {
	uint m = GROUP, count = m < M ? D : 0, row = m * D;
	float along = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) along = fma(y[yAt + row + i], dy[dyAt + row + i], along);
	along = treeSum(along);
	float length = m < M ? norm[normAt + m] : 1.0;
	bool small = length <= eps;
	float inv = 1.0 / (small ? eps : length), back = small ? 0.0 : -along * inv;
	for (uint i = THREAD; i < count; i += THREADS) {
		float g = dy[dyAt + row + i] * inv;
		dx[dxAt + row + i] = small ? g : fma(y[yAt + row + i], back, g);
	}
}
