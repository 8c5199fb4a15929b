#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader SegmentSum: 4 buffers.
//
// dst[k] += src[rows[i]] for i from starts[k] to starts[k+1] that are in [FROM, TO), in that order, for rows of D elements; with COUNT, dst[k] += how many
// there are.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool COUNT = false;
layout(set = 0, binding = 0)  buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer Src { float src[]; };
layout(set = 0, binding = 2) readonly buffer Rows { uint rows[]; };
layout(set = 0, binding = 3) readonly buffer Starts { uint starts[]; };
layout(push_constant) uniform Push { uint dstAt, srcAt, rowsAt, startsAt, S, D, FROM, TO; };

void main() {
	EACH(i, S * D) {
		uint k = i / D, lo = max(starts[startsAt + k], FROM), hi = max(min(starts[startsAt + k + 1], TO), lo);
		float v = dst[dstAt + i];
		if (COUNT) {
			v += float(hi - lo);
		} else {
			for (uint r = lo; r < hi; r++) v += src[srcAt + rows[rowsAt + r] * D + i % D];
		}
		dst[dstAt + i] = v;
	}
}
