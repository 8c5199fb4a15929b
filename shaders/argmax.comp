#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader ArgMax: 2 buffers.
//
// dst[m] = index of the first maximum of row m of x [M, K]; 0 where the row has a NaN.
layout(local_size_x = THREADS) in;
shared float best[THREADS];
shared uint at[THREADS];
layout(set = 0, binding = 0) writeonly buffer Dst { uint dst[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, M, K; };

void main() {
	uint m = GROUP, count = m < M ? K : 0, row = xAt + m * K;
	float v = -infinity();
	uint where = 0xffffffffu;
	for (uint i = THREAD; i < count; i += THREADS) {
		float e = x[row + i];
		if (isNaN(v)) break;
		if (where == 0xffffffffu || isNaN(e) || e > v) v = e, where = i;
	}
	best[THREAD] = v, at[THREAD] = where;
	barrier();
	for (uint n = THREADS / 2; n > 0; n /= 2) {
		if (THREAD < n) {
			float o = best[THREAD + n];
			uint w = at[THREAD + n];
			if (isNaN(o) || !isNaN(best[THREAD]) && (o > best[THREAD] || o == best[THREAD] && w < at[THREAD])) best[THREAD] = o, at[THREAD] = w;
		}
		barrier();
	}
	if (m < M && THREAD == 0) dst[dstAt + m] = isNaN(best[0]) || at[0] == 0xffffffffu ? 0 : at[0];
}
