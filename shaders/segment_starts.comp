#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader SegmentStarts: 2 buffers.
//
// starts[k] = place of the first of the sorted keys that is k or more, for k in 0 … S.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Starts { uint starts[]; };
layout(set = 0, binding = 1) readonly buffer Keys { uint keys[]; };
layout(push_constant) uniform Push { uint startsAt, keysAt, n, S; };

void main() {
	EACH(k, S + 1) {
		uint lo = 0, hi = n;
		while (lo < hi) {
			uint mid = (lo + hi) / 2;
			if (keys[keysAt + mid] < k) lo = mid + 1;
			else hi = mid;
		}
		starts[startsAt + k] = lo;
	}
}
