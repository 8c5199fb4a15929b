#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/faults.glsl"

// Shader ScatterKeys: 3 buffers.
//
// keys[r] = index[r], or S where that is outside [0, S), which is a fault.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint CODE = FAULT_SCATTER;
layout(set = 0, binding = 0) writeonly buffer Keys { uint keys[]; };
layout(set = 0, binding = 1) readonly buffer Index { uint index[]; };
layout(set = 0, binding = 2)  buffer Fault { uint fault[]; };
layout(push_constant) uniform Push { uint keysAt, indexAt, faultAt, n, S; };

void main() {
	EACH(i, n) {
		uint k = index[indexAt + i];
		if (k >= S) atomicMax(fault[faultAt], CODE);
		keys[keysAt + i] = min(k, S);
	}
}
