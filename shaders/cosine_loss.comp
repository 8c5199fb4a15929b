#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/tree.glsl"

// Shader CosineLoss: 3 buffers.
//
// rows[0, r] = 1 − x·t/(max(‖x‖, eps)·max(‖t‖, eps)) for row r of [M, D]; rows[1, r] = 1. rows is [2, all].
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Rows { float rows[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(set = 0, binding = 2) readonly buffer T { float t[]; };
layout(push_constant) uniform Push { uint rowsAt, xAt, tAt, M, D, first, all; };
#include "include/cosine.glsl"

void main() {
	uint r = GROUP;
	vec3 c = cosine(r, r < M ? D : 0, D);
	if (r >= M || THREAD != 0) return;
	rows[rowsAt + first + r] = 1.0 - c.x / (max(c.y, COSINE_EPS) * max(c.z, COSINE_EPS));
	rows[rowsAt + all + first + r] = 1.0;
}
