#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader Scan: 1 buffer.
//
// v[i] = Σ v[0 … i-1], in place, by one workgroup: each invocation sums a run, the runs' sums are scanned, and each run is written.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0)  buffer V { uint v[]; };
layout(push_constant) uniform Push { uint vAt, n; };

shared uint sums[THREADS];

void main() {
	uint length = (n + THREADS - 1) / THREADS, lo = min(n, THREAD * length), hi = min(n, lo + length), sum = 0;
	for (uint i = lo; i < hi; i++) sum += v[vAt + i];
	sums[THREAD] = sum;
	barrier();
	uint before = 0;
	for (uint t = 0; t < THREAD; t++) before += sums[t];
	for (uint i = lo; i < hi; i++) {
		uint e = v[vAt + i];
		v[vAt + i] = before;
		before += e;
	}
}
