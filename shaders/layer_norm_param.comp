#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader LayerNormParam: 5 buffers.
//
// parts[p] = Σ dy·x̂, then Σ dy, over the rows of piece p: length of the M rows of [M, D]. parts is [pieces, 2, D].
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Parts { float parts[]; };
layout(set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 2) readonly buffer X { float x[]; };
layout(set = 0, binding = 3) readonly buffer Mean { float mean[]; };
layout(set = 0, binding = 4) readonly buffer Rstd { float rstd[]; };
layout(push_constant) uniform Push { uint partsAt, dyAt, xAt, meanAt, rstdAt, M, D, pieces, length; };

void main() {
	uint i = GROUP * THREADS + THREAD;
	if (i >= pieces * D) return;
	uint piece = i / D, c = i % D, last = min(M, (piece + 1) * length);
	float dw = 0.0, db = 0.0;
	for (uint m = piece * length; m < last; m++) {
		float g = dy[dyAt + m * D + c];
		dw = fma(g, (x[xAt + m * D + c] - mean[meanAt + m]) * rstd[rstdAt + m], dw);
		db += g;
	}
	parts[partsAt + piece * 2 * D + c] = dw;
	parts[partsAt + piece * 2 * D + D + c] = db;
}
