#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader LayerNormSums: 3 buffers.
//
// dw[c] (+)= Σ parts[p, 0, c] and db[c] (+)= Σ parts[p, 1, c], for parts [pieces, 2, D] of layer_norm_grad.comp. Sums of `length` pieces are added up.
#define ABSENT 0
#define ADD 2
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint DW = 1; // ABSENT, 1 to be written or ADD
layout(constant_id = 1) const uint DB = 1;
layout(set = 0, binding = 0) buffer Dw { float dw[]; };
layout(set = 0, binding = 1) buffer Db { float db[]; };
layout(set = 0, binding = 2) readonly buffer Parts { float parts[]; };
layout(push_constant) uniform Push { uint dwAt, dbAt, partsAt, D, pieces, length; };

void main() {
	uint i = GROUP * THREADS + THREAD, c = i % D;
	if (i >= 2 * D) return;
	float total = 0.0;
	for (uint first = 0; first < pieces; first += length) {
		float v = 0.0;
		for (uint p = first, last = min(pieces, first + length); p < last; p++) v += parts[partsAt + p * 2 * D + i];
		total += v;
	}
	if (i < D) {
		if (DW != ABSENT) dw[dwAt + c] = DW == ADD ? dw[dwAt + c] + total : total;
	} else {
		if (DB != ABSENT) db[dbAt + c] = DB == ADD ? db[dbAt + c] + total : total;
	}
}
