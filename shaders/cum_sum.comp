#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader CumSum: 2 buffers.
//
// dst[o, i, j] = Σ x[o, 0 … i, j] for columns of [outer, N, inner], or with REVERSE Σ x[o, i … N-1, j]. A workgroup adds up one column, THREADS
// elements at a time. One run makes elements lo to hi-1, counted from the end with REVERSE, and those before are there.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool REVERSE = false;
shared float sums[THREADS];
layout(set = 0, binding = 0) buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, columns, N, inner, lo, hi; };

void main() {
	uint column = GROUP;
	bool live = column < columns;
	uint first = live ? column / inner * N * inner + column % inner : 0;
	uint start = REVERSE ? first + (N - 1) * inner : first;
	uint step_ = REVERSE ? -inner : inner;
	float carry = live && lo > 0 ? dst[dstAt + start + (lo - 1) * step_] : 0.0;
	for (uint from = lo; from < hi; from += THREADS) {
		uint i = from + THREAD;
		sums[THREAD] = live && i < hi ? x[xAt + start + i * step_] : 0.0;
		barrier();
		for (uint d = 1; d < THREADS; d *= 2) {
			float before = THREAD >= d ? sums[THREAD - d] : 0.0;
			barrier();
			sums[THREAD] += before;
			barrier();
		}
		if (live && i < hi) dst[dstAt + start + i * step_] = carry + sums[THREAD];
		carry += sums[THREADS - 1];
		barrier();
	}
}
