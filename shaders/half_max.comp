#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/packed.glsl"

// Shader HalfMax: 2 buffers.
//
// top[batch, row, piece] = the bits of the largest magnitude in a piece of a row of x [batch, rows, K]: NaN above infinity above numbers. A
// workgroup looks through one piece, of length elements, of PACK_ROWS rows.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool BY_ROW = true;
layout(set = 0, binding = 0) writeonly buffer Top { uint top[]; };
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(push_constant) uniform Push { uint topAt, xAt, rows, K, rowStep, colStep, next, pieces, length; };

shared uint most[PACK_ROWS];

void main() {
	uint r0 = gl_WorkGroupID.x * PACK_ROWS, piece = gl_WorkGroupID.y, batch = gl_WorkGroupID.z;
	if (THREAD < PACK_ROWS) most[THREAD] = 0u;
	barrier();
	for (uint r = PACK_FIRST; r < PACK_ROWS && r0 + r < rows; r += PACK_STEP) {
		uint from = xAt + batch * next + (r0 + r) * rowStep, m = 0u;
		for (uint k = piece * length + PACK_LANE, end = min(K, (piece + 1) * length); k < end; k += PACK_LANES) {
			m = max(m, x[from + k * colStep] & 0x7fffffffu);
		}
		atomicMax(most[r], m); // of integers: in any order the same
	}
	barrier();
	if (THREAD < PACK_ROWS && r0 + THREAD < rows) top[topAt + (batch * rows + r0 + THREAD) * pieces + piece] = most[THREAD];
}
