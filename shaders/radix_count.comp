#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/radix.glsl"

// Shader RadixCount: 2 buffers.
//
// table[digit·blocks + block] = how many of the block's keys have the digit at bit shift.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Table { uint table[]; };
layout(set = 0, binding = 1) readonly buffer Keys { uint keys[]; };
layout(push_constant) uniform Push { uint tableAt, keysAt, n, blocks, shift; };

shared uint counts[DIGITS];

void main() {
	uint block = GROUP;
	for (uint d = THREAD; d < DIGITS; d += THREADS) counts[d] = 0;
	barrier();
	for (uint k = THREAD; k < BLOCK; k += THREADS) {
		uint i = block * BLOCK + k;
		if (i < n) atomicAdd(counts[keys[keysAt + i] >> shift & 255u], 1u);
	}
	barrier();
	if (block >= blocks) return;
	for (uint d = THREAD; d < DIGITS; d += THREADS) table[tableAt + d * blocks + block] = counts[d];
}
