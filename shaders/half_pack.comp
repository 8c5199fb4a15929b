#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/packed.glsl"

// Shader HalfPack: 5 buffers.
//
// Packs up to JOBS matrices [batch, rows, K] as include/packed.glsl says, each by one of
//   WHOLE: a workgroup finds the largest magnitudes of its rows, then packs them
//   FIND: it finds the largest magnitude of each piece of its rows: top[batch, row, piece]
//   PACK: it packs a piece of its rows. The tops of all these jobs are at the beginning of the memory, one after the other
// A workgroup has PACK_ROWS rows of a job, whose own workgroups follow those of the jobs before. Tops are the bits of magnitudes: NaN above infinity above numbers.
//
// One of the steps from a row to the next and from a column to the next is 1.
#define JOBS 4
#define DEPTH 32 // the step of k
#define WHOLE 0
#define FIND 1
#define PACK 2
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Packed { uvec4 packed[]; };
layout(set = 0, binding = 0) writeonly buffer Exponents { int exponents[]; };
layout(set = 0, binding = 0) buffer Top { uint top[]; };
layout(set = 0, binding = 1) readonly buffer X0 { uint x0[]; };
layout(set = 0, binding = 2) readonly buffer X1 { uint x1[]; };
layout(set = 0, binding = 3) readonly buffer X2 { uint x2[]; };
layout(set = 0, binding = 4) readonly buffer X3 { uint x3[]; };
struct Job {
	uint rows, K, step, next; // the step that is not 1, and the one from a matrix to the next
	uint at;                  // where the packed factor or the tops start
	uint what;                // 2 bits: which of the above; 2: which x; 1: columns are neighbours; 3: the rows of a tile / 32; the rest: batch
};
layout(push_constant) uniform Push { uint memoryAt, x0At, x1At, x2At, x3At; Job jobs[JOBS]; };

shared uint most[PACK_ROWS];

// part is what a workgroup does of a job: rows from r0 on of a matrix, k from `from` to `to`.
struct Part {
	Job job;
	uint kind, batch, r0, piece, pieces, from, to, rows, depth, tops; // rows with those of none
	bool byRow; // neighbours in a row are neighbours in memory
};

uint padded(Job j) {
	uint tile = (j.what >> 5 & 7u) * 32u;
	return (j.rows + tile - 1) / tile * tile;
}

uint depth(Job j) { return (j.K + DEPTH - 1) / DEPTH * DEPTH; }

// length is that of a piece: tensor/vulkan's packPieces pieces at most, of packLength at least.
uint length(Job j) { return (j.what & 3u) == WHOLE ? depth(j) : max(256u, (depth(j) + 64 * DEPTH - 1) / (64 * DEPTH) * DEPTH); }

// find is the part of the workgroup; there is none if its kind is beyond PACK.
Part find() {
	Part p;
	uint group = GROUP;
	p.kind = PACK + 1;
	p.tops = memoryAt;
	for (uint j = 0; j < JOBS; j++) {
		Job job = jobs[j];
		if (job.rows == 0) break;
		uint down = padded(job) / PACK_ROWS, size = length(job), pieces = (depth(job) + size - 1) / size, batch = job.what >> 8;
		if (group < down * pieces * batch) {
			uint piece = group / down % pieces;
			p.job = job;
			p.kind = job.what & 3u;
			p.batch = group / (down * pieces), p.r0 = group % down * PACK_ROWS;
			p.piece = piece, p.pieces = pieces, p.from = piece * size, p.to = min(depth(job), p.from + size);
			p.rows = padded(job), p.depth = depth(job);
			p.byRow = (job.what >> 4 & 1u) != 0;
			break;
		}
		group -= down * pieces * batch;
		p.tops += batch * job.rows * pieces;
	}
	return p;
}

#define BY_ROW p.byRow

// LOAD loads the eight elements at at[0] to at[7] of matrix x.
#define LOAD(x, xAt) for (uint i = 0; i < 8; i++) v[i] = x[xAt + at[i]];

// eight loads elements k to k+7 of row r of the part: those in front of K, and zeros. All loads are independent, and the switch is around them.
// Loops of eight have no hint to unroll: GPUs' compilers do that anyway, and SwiftShader's would take six times as long for the whole.
void eight(Part p, uint r, uint k, out uint v[8]) {
	uint row = min(p.r0 + r, p.job.rows - 1), at[8];
	for (uint i = 0; i < 8; i++) {
		uint column = min(k + i, p.job.K - 1);
		at[i] = p.batch * p.job.next + (BY_ROW ? row * p.job.step + column : row + column * p.job.step);
	}
	switch (p.job.what >> 2 & 3u) {
	case 0: LOAD(x0, x0At) break;
	case 1: LOAD(x1, x1At) break;
	case 2: LOAD(x2, x2At) break;
	default: LOAD(x3, x3At)
	}
	for (uint i = 0; i < 8; i++) v[i] = p.r0 + r < p.job.rows && k + i < p.job.K ? v[i] : 0u;
}

// largest takes the largest magnitudes of the part to most.
void largest(Part p) {
	for (uint r = PACK_FIRST; r < PACK_ROWS; r += PACK_STEP) {
		uint m = 0u, v[8];
		for (uint k = p.from + 8 * PACK_LANE; k < p.to; k += 8 * PACK_LANES) {
			eight(p, r, k, v);
			for (uint i = 0; i < 8; i++) m = max(m, v[i] & 0x7fffffffu);
		}
		atomicMax(most[r], m); // of integers: in any order the same
	}
}

// pack packs the part, an invocation eight elements at a time.
void pack(Part p) {
	for (uint r = PACK_FIRST; r < PACK_ROWS; r += PACK_STEP) {
		int e = exponentOf(most[r]);
		uint row = p.batch * p.rows + p.r0 + r, v[8];
		if (p.piece == 0 && PACK_LANE == 0) exponents[memoryAt + p.job.at + (p.job.what >> 8) * p.rows * (p.depth / 2) + row] = -e;
		for (uint k = p.from + 8 * PACK_LANE; k < p.to; k += 8 * PACK_LANES) {
			eight(p, r, k, v);
			for (uint i = 0; i < 8; i++) v[i] = toHalf(scaled(uintBitsToFloat(v[i]), e));
			packed[(memoryAt + p.job.at + row * (p.depth / 2) + k / 2) / 4] = uvec4(v[0] | v[1] << 16, v[2] | v[3] << 16, v[4] | v[5] << 16, v[6] | v[7] << 16);
		}
	}
}

void main() {
	Part p = find();
	if (p.kind > PACK) return;
	uint row = p.r0 + THREAD, m = 0u; // of those invocations that have one
	if (p.kind == PACK && THREAD < PACK_ROWS && row < p.job.rows) {
		for (uint i = 0; i < p.pieces; i++) m = max(m, top[p.tops + (p.batch * p.job.rows + row) * p.pieces + i]);
	}
	if (THREAD < PACK_ROWS) most[THREAD] = m;
	barrier();
	if (p.kind != PACK) {
		largest(p);
		barrier();
	}
	if (p.kind != FIND) {
		pack(p);
	} else if (THREAD < PACK_ROWS && row < p.job.rows) {
		top[memoryAt + p.job.at + (p.batch * p.job.rows + row) * p.pieces + p.piece] = most[THREAD];
	}
}
