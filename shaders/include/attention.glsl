// Tiles of attention. A workgroup of 128 invocations works on ROWS rows of one side, 32 or 64, and passes over TILE rows of the other at a time, so the
// scores of a head never exist. Invocation (X, Y) owns rows 4Y to 4Y+3 of its side, as the four parts of a vec4. For its scores it takes pairs of the other
// side, for a result pairs of columns: pairs X, X + ACROSS, ….
//
// Accumulators are arrays whose every index is known when the pipeline is made: loops that index them are unrolled, hold no other loop and no
// `continue`, which keep compilers from unrolling. An index that a loop counts would put them into memory, or make each access a choice among all.
// UNROLLED: loops that hold something precise have a bound that is a specialization constant. Others glslc's optimizer unrolls itself, and the copies that it
// makes are not precise any more, so that drivers simplify the rounding of fourExps away.
//
// q is [B, NQ, H·D], its rows qStep apart, and kv [B, NK, 2·H·D], k before v, its rows kvStep apart. D is HEAD. Of a tile's edge that is beyond a matrix the
// last row or column stands in, so that loads need no branches, and what comes of it is not used.

#define TILE 32
#define DEPTH 16
#define X (THREAD % ACROSS)
#define Y (THREAD / ACROSS)

layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint HEAD = 64;
layout(constant_id = 1) const uint ROWS = 32;
const uint DOWN = ROWS / 4, ACROSS = THREADS / DOWN;
const uint PAIRS = TILE / 2 / ACROSS;                        // of the other side that an invocation takes
const uint COLUMNS = (HEAD + 2 * ACROSS - 1) / (2 * ACROSS); // pairs of a result's columns that an invocation owns
const uint WIDTH = ACROSS * COLUMNS;                         // all pairs

// Shared memory, in pairs: DEPTH columns of both sides, column after column; or the weights, for each of TILE rows those of this side's ROWS, and after them
// VALUE_ROWS rows of the matrix that they weigh.
#define OTHER_LINE (TILE / 2 + 1)
const uint LINE = ROWS / 2 + 2;
const uint OTHERS = DEPTH * LINE, VALUES = TILE * LINE;
const uint FIT = (2048 - VALUES) / WIDTH; // rows of the matrix in 16 KiB
const uint VALUE_ROWS = FIT >= 16 ? 16 : FIT >= 8 ? 8 : FIT >= 4 ? 4 : FIT >= 2 ? 2 : 1;
const uint VALUE_ROOM = VALUE_ROWS * WIDTH > ACROSS * LINE ? VALUE_ROWS * WIDTH : ACROSS * LINE;
shared vec2 room[VALUES + VALUE_ROOM];

// OWN and PUT_OWN read and write the vec4 of this invocation's rows in a line of shared memory.
#define OWN(line) vec4(room[(line) + 2 * Y], room[(line) + 2 * Y + 1])
#define PUT_OWN(line, v) room[(line) + 2 * Y] = (v).xy, room[(line) + 2 * Y + 1] = (v).zw

// COLUMN is the column of a result that sums[j] is of.
#define COLUMN(j) (2 * (X + (j) / 2 * ACROSS) + (j) % 2)

// FOUR is four elements of a buffer.
#define FOUR(array, at) vec4(array[(at).x], array[(at).y], array[(at).z], array[(at).w])

// Score j of an invocation is with row OTHER(j) of the other side's tile.
#define OTHER(j) (X + (j) / 2 * ACROSS + (j) % 2 * (TILE / 2))

// SEES reports whether a query sees a key of its sample: one that is there, that the key mask does not hide (by its bits: a driver may take NaN
// or a denormal for 0), and with CAUSAL none after the query.
#define SEES(sample_, row, key) \
	((key) < NK && (!CAUSAL || (key) <= (row)) && (!MASK || (mask[maskAt + (sample_) * NK + (key)] & 0x7fffffffu) != 0u))

// What an invocation loads of both sides for the next DEPTH columns, while these are multiplied.
const uint OWN_EACH = DOWN * DEPTH / THREADS, OTHER_EACH = TILE / 2 * DEPTH / THREADS;

// FETCH loads columns d0 + … of rows r0 + … and c0 + … of two matrices: see DOTS.
#define FETCH(d0, a, aFrom, aStep, aN, r0, b, bFrom, bStep, bN, c0) \
	[[unroll]] for (uint x = 0; x < OWN_EACH; x++) { \
		uint e = THREAD + x * THREADS, row_ = min((r0) + e / DEPTH * 4, (aN) - 1), more_ = (aN) - 1 - row_; \
		uint at_ = (aFrom) + row_ * (aStep) + min((d0) + e % DEPTH, HEAD - 1); \
		own_[x] = vec4(a(at_), a(at_ + (more_ > 0 ? 1 : 0) * (aStep)), a(at_ + min(more_, 2) * (aStep)), a(at_ + min(more_, 3) * (aStep))); \
	} \
	[[unroll]] for (uint x = 0; x < OTHER_EACH; x++) { \
		uint e = THREAD + x * THREADS, row_ = min((c0) + e / DEPTH, (bN) - 1), d_ = min((d0) + e % DEPTH, HEAD - 1); \
		uint at_ = (bFrom) + row_ * (bStep) + d_; \
		other_[x] = vec2(b(at_), b(at_ + (row_ + TILE / 2 < (bN) ? TILE / 2 * (bStep) : 0))); \
	}

// DOTS adds to s[j] the products of rows r0 + 4Y + … of a matrix with row c0 + OTHER(j) of another, over all HEAD columns, each one chain of multiply-adds.
// A row i of the first begins at a(aFrom + i·aStep), and there are aN. a and b are macros for an element of a buffer.
#define DOTS(s, a, aFrom, aStep, aN, r0, b, bFrom, bStep, bN, c0) \
	{ \
		vec4 own_[OWN_EACH]; \
		vec2 other_[OTHER_EACH]; \
		FETCH(0, a, aFrom, aStep, aN, r0, b, bFrom, bStep, bN, c0) \
		for (uint d0 = 0; d0 < HEAD; d0 += DEPTH) { \
			barrier(); \
			[[unroll]] for (uint x = 0; x < OWN_EACH; x++) { \
				uint e = THREAD + x * THREADS, to_ = e % DEPTH * LINE + e / DEPTH * 2; \
				room[to_] = own_[x].xy, room[to_ + 1] = own_[x].zw; \
			} \
			[[unroll]] for (uint x = 0; x < OTHER_EACH; x++) { \
				uint e = THREAD + x * THREADS; \
				room[OTHERS + e % DEPTH * OTHER_LINE + e / DEPTH] = other_[x]; \
			} \
			barrier(); \
			if (d0 + DEPTH < HEAD) { \
				FETCH(d0 + DEPTH, a, aFrom, aStep, aN, r0, b, bFrom, bStep, bN, c0) \
			} \
			uint deep_ = (r0) + 4 * Y < (aN) ? min(DEPTH, HEAD - d0) : 0; \
			[[dont_unroll]] for (uint d = 0; d < deep_; d++) { \
				vec4 v_ = OWN(d * LINE); \
				[[unroll]] for (uint j = 0; j < PAIRS; j++) { \
					vec2 w_ = room[OTHERS + d * OTHER_LINE + X + j * ACROSS]; \
					s[2 * j] = fma(v_, vec4(w_.x), s[2 * j]); \
					s[2 * j + 1] = fma(v_, vec4(w_.y), s[2 * j + 1]); \
				} \
			} \
		} \
	}

// What an invocation loads of the matrix that is weighed.
const uint VALUE_EACH = (VALUE_ROWS * WIDTH + THREADS - 1) / THREADS;

// APPLY adds to sums[…] the product of the weights with TILE rows, from c0 on, of a matrix of bN rows: columns 2(X + j·ACROSS) and the next of the
// result in sums[2j] and sums[2j+1], where own0 is the first row of this side and ownN how many there are.
#define APPLY(sums, own0, ownN, b, bFrom, bStep, bN, c0) \
	for (uint i0 = 0; i0 < TILE && (c0) + i0 < (bN); i0 += VALUE_ROWS) { \
		vec2 value_[VALUE_EACH]; \
		[[unroll]] for (uint x = 0; x < VALUE_EACH; x++) { \
			uint e = THREAD + x * THREADS, d_ = e % WIDTH * 2; \
			uint at_ = (bFrom) + min((c0) + i0 + e / WIDTH, (bN) - 1) * (bStep); \
			value_[x] = vec2(b(at_ + min(d_, HEAD - 1)), b(at_ + min(d_ + 1, HEAD - 1))); \
		} \
		barrier(); \
		[[unroll]] for (uint x = 0; x < VALUE_EACH; x++) { \
			uint e = THREAD + x * THREADS; \
			if (e < VALUE_ROWS * WIDTH) room[VALUES + e] = value_[x]; \
		} \
		barrier(); \
		uint rows_ = (own0) + 4 * Y < (ownN) ? min(VALUE_ROWS, (bN) - (c0) - i0) : 0; \
		[[dont_unroll]] for (uint i = 0; i < rows_; i++) { \
			vec4 w_ = OWN((i0 + i) * LINE); \
			[[unroll]] for (uint j = 0; j < COLUMNS; j++) { \
				vec2 v_ = room[VALUES + i * WIDTH + X + j * ACROSS]; \
				sums[2 * j] = fma(w_, vec4(v_.x), sums[2 * j]); \
				sums[2 * j + 1] = fma(w_, vec4(v_.y), sums[2 * j + 1]); \
			} \
		} \
	}

// fourExps is expOf of each, by the same steps, without a branch.
vec4 fourExps(vec4 x) {
	precise vec4 scaled_ = clamp(x, -104.0, 89.0) * 1.44269504089;
	precise vec4 shifted = scaled_ + 12582912.0;
	precise vec4 n = shifted - 12582912.0;
	precise vec4 high = n * 0.693359375;
	precise vec4 rest = clamp(x, -104.0, 89.0) - high;
	precise vec4 r = fma(n, vec4(0.000212194440055), rest);
	vec4 p = vec4(0.00138364534);
	p = fma(p, r, vec4(0.00836913195));
	p = fma(p, r, vec4(0.0416681059));
	p = fma(p, r, vec4(0.166665167));
	p = fma(p, r, vec4(0.49999994));
	precise vec4 y = fma(r * r, p, r);
	y = 1.0 + y;
	ivec4 k = ivec4(n), half_ = k >> 1;
	y = y * uintBitsToFloat(uvec4(half_ + 127) << 23) * uintBitsToFloat(uvec4(k - half_ + 127) << 23);
	return mix(y, x, greaterThan(floatBitsToUint(x) & 0x7fffffffu, uvec4(0x7f800000u)));
}
