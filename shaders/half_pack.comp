#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/packed.glsl"

// Shader HalfPack: 3 buffers.
//
// Packs x [batch, rows, K] as include/packed.glsl says, with the magnitudes that half_max found. A workgroup makes one piece, of length
// elements, of PACK_ROWS rows; an invocation eight elements at a time.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool BY_ROW = true;
layout(set = 0, binding = 0) writeonly buffer Packed { uvec4 packed[]; };
layout(set = 0, binding = 0) writeonly buffer Exponents { int exponents[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(set = 0, binding = 2) readonly buffer Top { uint top[]; };
layout(push_constant) uniform Push { uint packedAt, xAt, topAt, rows, K, rowStep, colStep, next, pieces, length, padded, depth, scales; };

void main() {
	uint r0 = gl_WorkGroupID.x * PACK_ROWS, piece = gl_WorkGroupID.y, batch = gl_WorkGroupID.z;
	uint end = min(depth, (piece + 1) * length);
	for (uint r = r0 + PACK_FIRST; r < r0 + PACK_ROWS; r += PACK_STEP) {
		uint m = 0u;
		for (uint p = 0; r < rows && p < pieces; p++) m = max(m, top[topAt + (batch * rows + r) * pieces + p]);
		int e = exponentOf(m);
		uint row = batch * padded + r, from = xAt + batch * next + r * rowStep;
		if (piece == 0 && PACK_LANE == 0) exponents[packedAt + scales + row] = -e;
		for (uint k = piece * length + 8 * PACK_LANE; k < end; k += 8 * PACK_LANES) {
			uint h[8];
			for (uint i = 0; i < 8; i++) h[i] = r < rows && k + i < K ? toHalf(scaled(x[from + (k + i) * colStep], e)) : 0u;
			packed[(packedAt + row * (depth / 2) + k / 2) / 4] = uvec4(h[0] | h[1] << 16, h[2] | h[3] << 16, h[4] | h[5] << 16, h[6] | h[7] << 16);
		}
	}
}
