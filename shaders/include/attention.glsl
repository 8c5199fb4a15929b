// Tiles of attention. A workgroup of 128 invocations works on TILE rows of one side and passes over TILE rows of the other at a time, so the
// scores of a head never exist. Invocation t owns row t/4 of its side, and of the other side rows t%4, t%4 + 4, …: PER of them.
//
// q is [B, NQ, H·D], its rows qStep apart, and kv [B, NK, 2·H·D], k before v, its rows kvStep apart. D is HEAD.

#define TILE 32
#define PER 8
#define DEPTH 16
#define CHUNK 64

layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint HEAD = 64;
const uint COLUMNS = (HEAD + 3) / 4; // of a result's row that one invocation owns

shared float tile[TILE * CHUNK];  // TILE rows of one matrix, CHUNK columns; or of two, DEPTH columns
shared float weights[TILE * (TILE + 1)];

// SEES reports whether a query sees a key of its sample: one that is there, that the key mask does not hide (by its bits: a driver may take NaN
// or a denormal for 0), and with CAUSAL none after the query.
#define SEES(sample_, row, key) \
	((key) < NK && (!CAUSAL || (key) <= (row)) && (!MASK || (mask[maskAt + (sample_) * NK + (key)] & 0x7fffffffu) != 0u))

#define ROW (THREAD / 4)
#define LANE (THREAD % 4)

// LOAD_DOTS adds to s[j] the product of row r0+ROW of a matrix with row c0+LANE+4j of another, over all HEAD columns. A row i of the first
// begins at a[aFrom + i·aStep]; its rows from aN on count as 0, and so do those of the other from bN on.
#define LOAD_DOTS(s, a, aFrom, aStep, aN, r0, b, bFrom, bStep, bN, c0) \
	for (uint d0 = 0; d0 < HEAD; d0 += DEPTH) { \
		barrier(); \
		for (uint e = THREAD; e < TILE * DEPTH; e += THREADS) { \
			uint d = e % DEPTH, i = e / DEPTH; \
			bool in_ = d0 + d < HEAD; \
			tile[d * (TILE + 1) + i] = in_ && (r0) + i < (aN) ? a[(aFrom) + ((r0) + i) * (aStep) + d0 + d] : 0.0; \
			tile[(DEPTH + d) * (TILE + 1) + i] = in_ && (c0) + i < (bN) ? b[(bFrom) + ((c0) + i) * (bStep) + d0 + d] : 0.0; \
		} \
		barrier(); \
		for (uint d = 0; d < DEPTH; d++) { \
			float v_ = tile[d * (TILE + 1) + ROW]; \
			for (uint j = 0; j < PER; j++) s[j] = fma(v_, tile[(DEPTH + d) * (TILE + 1) + LANE + 4 * j], s[j]); \
		} \
	}

// APPLY adds to sums[…] the product of this row of weights with TILE rows, from c0 on, of a matrix of bN rows: column LANE + 4j of the result in sums[j].
#define APPLY(sums, b, bFrom, bStep, bN, c0) \
	for (uint d0 = 0; d0 < HEAD; d0 += CHUNK) { \
		barrier(); \
		for (uint e = THREAD; e < TILE * CHUNK; e += THREADS) { \
			uint d = e % CHUNK, i = e / CHUNK; \
			tile[i * CHUNK + d] = d0 + d < HEAD && (c0) + i < (bN) ? b[(bFrom) + ((c0) + i) * (bStep) + d0 + d] : 0.0; \
		} \
		barrier(); \
		for (uint i = 0; i < TILE; i++) { \
			float w_ = weights[ROW * (TILE + 1) + i]; \
			for (uint j = 0; j < CHUNK / 4 && d0 / 4 + j < COLUMNS; j++) sums[d0 / 4 + j] = fma(w_, tile[i * CHUNK + LANE + 4 * j], sums[d0 / 4 + j]); \
		} \
	}
