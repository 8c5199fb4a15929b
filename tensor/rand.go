package tensor

import (
	"math"
	"math/bits"
)

// Rand is a counter-based random number generator (Philox4x32-10; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// Its numbers depend only on the seed and the path that it was made with, not on other generators. So each sample, layer and step has a
// generator of its own. A Rand is not safe for concurrent use.
type Rand struct {
	key     [2]uint32
	counter uint64
	block   [4]uint32
	used    int // words of block already given out
}

// NewRand returns the generator for a seed and a path of stream numbers, for example NewRand(seed, streamAugment, epoch, sample).
// Different paths give independent streams.
func NewRand(seed uint64, path ...uint64) *Rand {
	h := splitMix(seed)
	for i, p := range path {
		h = splitMix(h ^ splitMix(p+uint64(i+1)*0x9e3779b97f4a7c15))
	}
	return &Rand{key: [2]uint32{uint32(h), uint32(h >> 32)}, used: 4}
}

// HashString returns a hash of a name (FNV-1a, 64 bits), for a path of NewRand.
func HashString(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// splitMix is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
func splitMix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// philox is the ten-round Philox4x32 block function.
func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	c0, c1, c2, c3, k0, k1 := c[0], c[1], c[2], c[3], k[0], k[1] // not in arrays: those stay in memory
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, c0)
		hi1, lo1 := bits.Mul32(0xCD9E8D57, c2)
		c0, c1, c2, c3 = hi1^c1^k0, lo1, hi0^c3^k1, lo0
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Key returns what the generator's numbers follow from, for devices that compute them: number i is word i%4 of the Philox4x32-10 block of
// counter i/4.
func (r *Rand) Key() [2]uint32 { return r.key }

// Uint32 returns 32 random bits.
func (r *Rand) Uint32() uint32 {
	if r.used == 4 {
		r.block = philox([4]uint32{uint32(r.counter), uint32(r.counter >> 32)}, r.key)
		r.counter++
		r.used = 0
	}
	r.used++
	return r.block[r.used-1]
}

// Uint64 returns 64 random bits.
func (r *Rand) Uint64() uint64 { return uint64(r.Uint32())<<32 | uint64(r.Uint32()) }

// Float64 returns a uniform number in [0, 1) with 53 random bits.
func (r *Rand) Float64() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// Uniform returns a uniform number between lo and hi. Rounding may give hi itself.
func (r *Rand) Uniform(lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// IntN returns a uniform integer in [0, n). It panics when n < 1.
func (r *Rand) IntN(n int) int {
	if n < 1 {
		panic("tensor: Rand.IntN: n must be at least 1")
	}
	// Lemire's multiplication method with rejection (ACM TOMACS 2019).
	hi, lo := bits.Mul64(r.Uint64(), uint64(n))
	if lo < uint64(n) {
		for limit := -uint64(n) % uint64(n); lo < limit; {
			hi, lo = bits.Mul64(r.Uint64(), uint64(n))
		}
	}
	return int(hi)
}

// Norm returns a normal number of mean 0 and standard deviation 1, by the inverse of the distribution function.
func (r *Rand) Norm() float64 { return r.TruncNorm(1, math.Inf(-1), math.Inf(1)) }

// TruncNorm returns a normal number of mean 0 and standard deviation std, truncated to [lo, hi]. It is the inverse of the distribution
// function at a uniform number between its values at the bounds.
func (r *Rand) TruncNorm(std, lo, hi float64) float64 {
	return truncNorm(r.Uint64()>>11, std, lo, hi)
}

// truncNorm is TruncNorm for 53 random bits.
func truncNorm(bits uint64, std, lo, hi float64) float64 {
	from := normCDF(lo / std)
	to := normCDF(hi / std)
	u := from + (to-from)*(float64(bits)+0.5)/(1<<53)
	u = min(u, 1-0x1p-53) // the largest bits round to 1, where the inverse is infinite
	x := std * math.Sqrt2 * math.Erfinv(2*u-1)
	return min(max(x, lo), hi)
}

func normCDF(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// Perm returns a random permutation of 0 … n-1 (Fisher-Yates).
func (r *Rand) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	r.Shuffle(n, func(i, j int) { p[i], p[j] = p[j], p[i] })
	return p
}

// Shuffle permutes n elements by calls of swap.
func (r *Rand) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, r.IntN(i+1))
	}
}
