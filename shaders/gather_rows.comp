#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/faults.glsl"

// Shader GatherRows: 4 buffers.
//
// dst[r] = src[index[r]] for rows of D elements; index values lie in [0, S).
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Dst { uint dst[]; };
layout(set = 0, binding = 1) readonly buffer Src { uint src[]; };
layout(set = 0, binding = 2) readonly buffer Index { uint index[]; };
layout(set = 0, binding = 3)  buffer Fault { uint fault[]; };
layout(push_constant) uniform Push { uint dstAt, srcAt, indexAt, faultAt, n, D, S; };

void main() {
	EACH(i, n) {
		uint s = index[indexAt + i / D];
		if (s >= S) atomicMax(fault[faultAt], FAULT_GATHER);
		dst[dstAt + i] = s < S ? src[srcAt + s * D + i % D] : 0;
	}
}
