// Tiles of attention. A workgroup of 128 invocations works on TILE rows of one side and passes over TILE rows of the other at a time, so the
// scores of a head never exist. Invocation t owns row t/4 of its side, and of the other side rows t%4, t%4 + 4, …: PER of them.
//
// Accumulators are arrays whose every index is known when the pipeline is made: loops that index them are unrolled, hold no other loop and no
// `continue`, which keep compilers from unrolling. An index that a loop counts would put them into memory, or make each access a choice among all.
// EXPONENTIALS: loops over scores that take expOf are left to compilers all the same. Unrolled by order, they get wrong values from lavapipe of Mesa 22.3.
//
// q is [B, NQ, H·D], its rows qStep apart, and kv [B, NK, 2·H·D], k before v, its rows kvStep apart. D is HEAD.

#define TILE 32
#define PER 8
#define DEPTH 16

layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint HEAD = 64;
const uint COLUMNS = (HEAD + 3) / 4; // of a result's row that one invocation owns
const uint WIDTH = 4 * COLUMNS;
const uint ROOM = WIDTH > TILE * 64 ? WIDTH : TILE * 64;       // of tile
const uint AT_A_TIME = ROOM / WIDTH < TILE ? ROOM / WIDTH : TILE; // rows of WIDTH columns that fit

shared float tile[ROOM]; // AT_A_TIME rows of one matrix, all columns; or TILE rows of two, DEPTH columns
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
		[[dont_unroll]] for (uint d = 0; d < DEPTH; d++) { \
			float v_ = tile[d * (TILE + 1) + ROW]; \
			[[unroll]] for (uint j = 0; j < PER; j++) s[j] = fma(v_, tile[(DEPTH + d) * (TILE + 1) + LANE + 4 * j], s[j]); \
		} \
	}

// APPLY adds to sums[…] the product of this row of weights with TILE rows, from c0 on, of a matrix of bN rows: column LANE + 4j of the result in sums[j].
#define APPLY(sums, b, bFrom, bStep, bN, c0) \
	for (uint i0 = 0; i0 < TILE; i0 += AT_A_TIME) { \
		uint rows_ = min(AT_A_TIME, TILE - i0); \
		barrier(); \
		for (uint e = THREAD; e < rows_ * WIDTH; e += THREADS) { \
			uint d = e % WIDTH, i = e / WIDTH; \
			tile[i * WIDTH + d] = d < HEAD && (c0) + i0 + i < (bN) ? b[(bFrom) + ((c0) + i0 + i) * (bStep) + d] : 0.0; \
		} \
		barrier(); \
		[[dont_unroll]] for (uint i = 0; i < rows_; i++) { \
			float w_ = weights[ROW * (TILE + 1) + i0 + i]; \
			[[unroll]] for (uint j = 0; j < COLUMNS; j++) sums[j] = fma(w_, tile[i * WIDTH + LANE + 4 * j], sums[j]); \
		} \
	}
