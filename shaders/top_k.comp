#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader TopK: 3 buffers.
//
// values and index [M, count] are the largest elements of each row of x [M, K] and their places, in descending order. NaN is larger than any
// number, and of equal elements the first comes first. A pass over the row finds the next one. One run finds elements lo to hi-1, and those before
// are there.
layout(local_size_x = THREADS) in;
shared uint best[THREADS];
shared uint at[THREADS];
layout(set = 0, binding = 0) buffer Values { uint values[]; };
layout(set = 0, binding = 1) buffer Index { uint index[]; };
layout(set = 0, binding = 2) readonly buffer X { uint x[]; };
layout(push_constant) uniform Push { uint valuesAt, indexAt, xAt, M, K, count, lo, hi; };

// key orders floats as integers, all above 0; the zeros are equal, and so are NaNs.
uint key(uint bits) {
	if ((bits & 0x7fffffffu) > 0x7f800000u) return 0xffffffffu;
	if (bits == 0x80000000u) bits = 0u;
	return bits >> 31 == 1u ? ~bits : bits | 0x80000000u;
}

void main() {
	uint m = GROUP, length_ = m < M ? K : 0, row = xAt + m * K;
	uint last = 0xffffffffu;
	int lastAt = -1;
	if (m < M && lo > 0u) last = key(values[valuesAt + m * count + lo - 1]), lastAt = int(index[indexAt + m * count + lo - 1]);
	for (uint place = lo; place < hi; place++) {
		uint top = 0u, where = 0xffffffffu;
		for (uint i = THREAD; i < length_; i += THREADS) {
			uint v = key(x[row + i]);
			if (v > top && (v < last || v == last && int(i) > lastAt)) top = v, where = i;
		}
		best[THREAD] = top, at[THREAD] = where;
		barrier();
		for (uint n = THREADS / 2; n > 0; n /= 2) {
			if (THREAD < n) {
				uint o = best[THREAD + n], w = at[THREAD + n];
				if (o > best[THREAD] || o == best[THREAD] && w < at[THREAD]) best[THREAD] = o, at[THREAD] = w;
			}
			barrier();
		}
		last = best[0], lastAt = int(at[0]);
		if (m < M && THREAD == 0) {
			values[valuesAt + m * count + place] = x[row + at[0]];
			index[indexAt + m * count + place] = at[0];
		}
		barrier();
	}
}
