#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader L2Norm: 3 buffers.
//
// norm[m] = ‖x[m]‖, y[m] = x[m]/max(norm, eps) for rows [M, D]; y may be x.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Y { float y[]; };
layout(set = 0, binding = 1) writeonly buffer Norm { float norm[]; };
layout(set = 0, binding = 2) readonly buffer X { float x[]; };
layout(push_constant) uniform Push { uint yAt, normAt, xAt, M, D; float eps; };

void main() {
	uint m = GROUP, count = m < M ? D : 0, row = m * D;
	// Squares of what is very large or small leave the range of float32, so they are scaled by a power of two.
	float top = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) top = maxNaN(top, abs(x[xAt + row + i]));
	top = treeMax(top);
	uint exponent = floatBitsToUint(top) >> 23;
	int k = exponent == 0 || exponent == 255 ? 0 : clamp(127 - int(exponent), -126, 126);
	float up = pow2(k), down = pow2(-k), total = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) {
		float e = x[xAt + row + i] * up;
		total = fma(e, e, total);
	}
	float length = sqrt(treeSum(total)) * down, inv = 1.0 / max(length, eps);
	for (uint i = THREAD; i < count; i += THREADS) y[yAt + row + i] = x[xAt + row + i] * inv;
	if (m < M && THREAD == 0) norm[normAt + m] = length;
}
