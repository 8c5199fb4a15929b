#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader ReduceCols: 2 buffers.
//
// dst[o, c] = op over rows r of x[o, r, c], for n rows of inner elements. Outer o is cut into pieces of length rows: each has a result of its own, or with
// WHOLE they are put together in order. Sums are divided by divisor; with add they come on top of dst.
//
// With WHOLE a workgroup does COLUMNS columns, and SHARED_BY invocations share the pieces of each, of which there are at most MOST.
#define SHARED_BY 8
#define MOST 64
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool MAX = false;
layout(constant_id = 1) const bool WHOLE = false;
layout(set = 0, binding = 0)  buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer X { float x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, outer, n, inner, pieces, length, add; float divisor; };
const uint LANES = WHOLE ? SHARED_BY : 1;
const uint COLUMNS = THREADS / LANES;
shared float parts[MOST * THREADS / SHARED_BY];

float put(float v, float e) { return MAX ? maxNaN(v, e) : v + e; }

// reduced is a piece of rows, by op, from element `from` on.
float reduced(uint from, uint rows) {
	float v = MAX ? -infinity() : 0.0;
	for (uint r = 0; r < rows; r++) v = put(v, x[xAt + from + r * inner]);
	return v;
}

// together reduces all pieces of a column of outer o.
float together(bool live, uint o, uint c) {
	uint lane = THREAD / COLUMNS, column = THREAD % COLUMNS;
	for (uint p = lane; live && p < pieces; p += LANES) {
		parts[p * COLUMNS + column] = reduced((o * n + p * length) * inner + c, min(length, n - p * length));
	}
	barrier();
	float v = MAX ? -infinity() : 0.0;
	for (uint p = 0; lane == 0 && p < pieces; p++) v = put(v, parts[p * COLUMNS + column]);
	return v;
}

void main() {
	uint i = GROUP * COLUMNS + THREAD % COLUMNS, c = i % inner, o = i / inner;
	float v;
	if (WHOLE) {
		bool live = o < outer;
		v = together(live, o, c);
		if (!live || THREAD >= COLUMNS) return;
	} else {
		uint piece = o % pieces;
		o /= pieces;
		if (o >= outer) return;
		v = reduced((o * n + piece * length) * inner + c, min(length, n - piece * length));
	}
	if (!MAX) v /= divisor;
	dst[dstAt + i] = add != 0 ? dst[dstAt + i] + v : v;
}
