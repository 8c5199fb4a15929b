// The tile BM x BN that a workgroup makes of a product. An invocation makes TM x TN of it, both multiples of 4. Include common.glsl first.
//
// DEPTH values of k at a time lie in shared memory, k-major, as fours of rows of A and of columns of B. The rows of a four are BM/4 apart, the columns
// BN/4: so neighbours in a workgroup have neighbouring elements for each of the four, when they load and when they store.
#define DEPTH 16
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BM = 32;
layout(constant_id = 2) const uint BN = 32;
layout(constant_id = 3) const uint TM = 4;
layout(constant_id = 4) const uint TN = 4;
const uint ACROSS = BN / TN, DOWN = BM / TM;
const uint A_FOURS = BM / 4, B_FOURS = BN / 4;
const uint A_LINE = A_FOURS + 1, B_LINE = B_FOURS + 1; // odd, against bank conflicts

shared vec4 as[DEPTH * A_LINE];
shared vec4 bs[DEPTH * B_LINE];

// The invocation's fours are X, X + ACROSS, … and Y, Y + DOWN, …. 32 neighbours are 8 across and 4 down, so that they share most of what they read.
#define X (THREAD % 8 + 8 * (THREAD / 32 % (ACROSS / 8)))
#define Y (THREAD / 8 % 4 + 4 * (THREAD / 32 / (ACROSS / 8)))

// ROW and COL are where row i and column j of the invocation are in the tile.
#define ROW(i) (Y + (i) / 4 * DOWN + (i) % 4 * A_FOURS)
#define COL(j) (X + (j) / 4 * ACROSS + (j) % 4 * B_FOURS)

vec4 sums[TM * TN / 4]; // fours of a row's columns

void clear() {
	[[unroll]] for (uint i = 0; i < TM * TN / 4; i++) sums[i] = vec4(0);
}

// multiply adds the product of what is in shared memory. Each sum is one chain of multiply-adds over ascending k.
void multiply() {
	uint x = X, y = Y;
	[[dont_unroll]] for (uint k = 0; k < DEPTH; k++) {
		vec4 av[TM / 4], bv[TN / 4];
		[[unroll]] for (uint i = 0; i < TM / 4; i++) av[i] = as[k * A_LINE + y + i * DOWN];
		[[unroll]] for (uint j = 0; j < TN / 4; j++) bv[j] = bs[k * B_LINE + x + j * ACROSS];
		[[unroll]] for (uint i = 0; i < TM; i++) {
			[[unroll]] for (uint j = 0; j < TN / 4; j++) sums[i * (TN / 4) + j] = fma(vec4(av[i / 4][i % 4]), bv[j], sums[i * (TN / 4) + j]);
		}
	}
}
