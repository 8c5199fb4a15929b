#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/radix.glsl"

// Shader RadixPlace: 5 buffers.
//
// Moves each key, and the number of its row, to its place: table holds where each digit of each block begins. With FIRST the rows are numbered
// here.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool FIRST = false;
layout(set = 0, binding = 0) writeonly buffer NewKeys { uint newKeys[]; };
layout(set = 0, binding = 1) writeonly buffer NewRows { uint newRows[]; };
layout(set = 0, binding = 2) readonly buffer Keys { uint keys[]; };
layout(set = 0, binding = 3) readonly buffer Rows { uint rows[]; };
layout(set = 0, binding = 4) readonly buffer Table { uint table[]; };
layout(push_constant) uniform Push { uint newKeysAt, newRowsAt, keysAt, rowsAt, tableAt, n, blocks, shift; };

shared uint digits[BLOCK];

void main() {
	uint block = GROUP;
	for (uint k = THREAD; k < BLOCK; k += THREADS) {
		uint i = block * BLOCK + k;
		digits[k] = i < n ? keys[keysAt + i] >> shift & 255u : 0xffffffffu;
	}
	barrier();
	for (uint k = THREAD; k < BLOCK; k += THREADS) {
		uint i = block * BLOCK + k;
		if (i >= n) break;
		uint d = digits[k], to = table[tableAt + d * blocks + block];
		for (uint j = 0; j < k; j++) to += digits[j] == d ? 1u : 0u;
		newKeys[newKeysAt + to] = keys[keysAt + i];
		newRows[newRowsAt + to] = FIRST ? i : rows[rowsAt + i];
	}
}
