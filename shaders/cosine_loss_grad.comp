#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader CosineLossGrad: 4 buffers.
//
// dx = −dloss/rows·(t/(‖x‖·‖t‖) − x·(x·t)/(‖x‖³·‖t‖)) for rows [M, D]; where ‖x‖ is below eps only the first term, over eps.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Dx { float dx[]; };
layout(set = 0, binding = 1) readonly buffer Dloss { float dloss[]; };
layout(set = 0, binding = 2) readonly buffer X { float x[]; };
layout(set = 0, binding = 3) readonly buffer T { float t[]; };
layout(push_constant) uniform Push { uint dxAt, dlossAt, xAt, tAt, M, D; float rows; };
#include "include/cosine.glsl"

void main() {
	uint r = GROUP, count = r < M ? D : 0;
	vec3 c = cosine(r, count, D);
	float nx = max(c.y, COSINE_EPS), scale = -dloss[dlossAt] / rows / nx / max(c.z, COSINE_EPS);
	float back = c.y > COSINE_EPS ? -scale * (c.x / nx / nx) : 0.0;
	for (uint i = THREAD; i < count; i += THREADS) dx[dxAt + r * D + i] = fma(x[xAt + r * D + i], back, scale * t[tAt + r * D + i]);
}
