package beit

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// Accumulate adds a micro-batch's counts and sums to the update under way. Call it before the tape's Reset.
func (m *VQKD) Accumulate(r VQKDResult) {
	if m.counts == nil {
		dev := m.Codebook.Value.Device()
		m.counts = tensor.Zeros(dev, m.Config.Codes)
		m.sums = tensor.Zeros(dev, m.Config.Codes, m.Config.CodeDim)
		m.last = tensor.Zeros(dev, m.Config.Codes)
	}
	tensor.CodeStats(m.counts, m.sums, r.Codes, r.Z)
}

// Stats returns the counts [K] and sums [K, D] of the update under way, nil before the first Accumulate. Workers add theirs up here.
func (m *VQKD) Stats() (counts, sums *tensor.Tensor) { return m.counts, m.sums }

// LastCounts returns how often the last finished update saw each code, [K], nil before the first.
func (m *VQKD) LastCounts() *tensor.Tensor { return m.last }

// UpdateCodebook moves every code that was seen towards the mean direction of its tokens and updates the usage statistics,
// as the authors' norm_ema_quantizer.py does, from what was accumulated, which it then clears. Codes that nothing chose stay.
func (m *VQKD) UpdateCodebook() {
	if m.counts == nil {
		panic("beit: VQKD: UpdateCodebook without Accumulate")
	}
	tensor.CodebookEMA(m.Codebook.Value, m.counts, m.sums, float32(m.Config.Decay))
	m.UpdateUsage()
}

// UpdateUsage is UpdateCodebook for evaluation: the statistics take note of what was accumulated and the codebook stays.
func (m *VQKD) UpdateUsage() {
	if m.counts == nil {
		panic("beit: VQKD: UpdateUsage without Accumulate")
	}
	tensor.Lerp(m.Usage.Value, m.counts, m.Config.Decay)
	m.last, m.counts = m.counts, m.last
	m.counts.Zero()
	m.sums.Zero()
}

// ResetUsage zeroes the usage statistics: at the start of an epoch and of an evaluation.
func (m *VQKD) ResetUsage() { m.Usage.Value.Zero() }

// Ready says whether the codebook holds codes: false before InitKMeans in a tokenizer that starts that way. It waits for the device.
func (m *VQKD) Ready() bool { return m.Initted.Value.Item() > 0 }

// kMeansIterations is the authors' number.
const kMeansIterations = 10

// InitKMeans fills the codebook with the k-means centres of unit rows z [M, D], starting from the rows that initial names, one for each
// code, and returns how many rows each centre ended with.
func (m *VQKD) InitKMeans(z *tensor.Tensor, initial []int) (counts []float32) {
	if len(initial) != m.Config.Codes {
		panic(fmt.Sprintf("beit: VQKD: %d initial rows for %d codes", len(initial), m.Config.Codes))
	}
	centres, bins := KMeans(z, initial, kMeansIterations)
	tensor.CopyInto(m.Codebook.Value, centres)
	tensor.CopyInto(m.Bins.Value, bins)
	m.Initted.Value.Fill(1)
	centres.Release()
	defer bins.Release()
	return bins.Float32s()
}

// KMeans clusters unit rows z [M, D] by direction: every iteration assigns each row to the nearest centre and makes each centre the
// normalised mean of its rows; a centre without rows stays. It returns the centres [K, D] and the counts [K] of the last
// assignment; the caller releases both.
func KMeans(z *tensor.Tensor, initial []int, iterations int) (centres, counts *tensor.Tensor) {
	dev, d := z.Device(), z.Dim(1)
	first := make([]int32, len(initial))
	for i, r := range initial {
		first[i] = int32(r)
	}
	index := tensor.FromInts(dev, first, len(first))
	defer index.Release()
	centres = tensor.GatherRows(z, index)
	counts = tensor.Zeros(dev, len(initial))
	sums := tensor.New(dev, len(initial), d)
	defer sums.Release()
	for range iterations {
		codes := tensor.NearestCode(z, centres)
		counts.Zero()
		sums.Zero()
		tensor.CodeStats(counts, sums, codes, z)
		tensor.CodebookEMA(centres, counts, sums, 0) // decay 0: the centre becomes its rows' mean direction
		codes.Release()
	}
	return centres, counts
}

// SampleRows draws k of n rows for InitKMeans: without repetition where there are enough.
func SampleRows(r *tensor.Rand, n, k int) []int {
	if n >= k {
		return r.Perm(n)[:k]
	}
	rows := make([]int, k)
	for i := range rows {
		rows[i] = r.IntN(n)
	}
	return rows
}
