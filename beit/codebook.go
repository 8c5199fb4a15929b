package beit

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// Accumulate adds the code counts and sums of a micro-batch to those of the current step. Call it before the tape's Reset.
func (m *VQKD) Accumulate(r VQKDResult) {
	if m.counts == nil {
		dev := m.Codebook.Value.Device()
		m.counts = tensor.Zeros(dev, m.Config.Codes)
		m.sums = tensor.Zeros(dev, m.Config.Codes, m.Config.CodeDim)
		m.last = tensor.Zeros(dev, m.Config.Codes)
	}
	tensor.CodeStats(m.counts, m.sums, r.Codes, r.Z)
}

// Release frees the tensors that Accumulate made.
func (m *VQKD) Release() {
	if m.counts != nil {
		m.counts.Release()
		m.sums.Release()
		m.last.Release()
	}
	m.counts, m.sums, m.last = nil, nil, nil
}

// Stats returns the counts [K] and the sums [K, D] of the current step, nil before the first Accumulate. Distributed training sums them
// over all processes.
func (m *VQKD) Stats() (counts, sums *tensor.Tensor) { return m.counts, m.sums }

// LastCounts returns how often the last finished step used each code, [K], or nil before the first.
func (m *VQKD) LastCounts() *tensor.Tensor { return m.last }

// UpdateCodebook moves every code that was used towards the mean direction of its tokens by EMA, as the authors' norm_ema_quantizer.py
// does, or towards their mean if Euclidean. It updates the usage statistics too, and clears what was accumulated. Unused codes stay the
// same.
//
// With CodebookGradient the optimiser moves the codes, and UpdateCodebook comes after its step: unless Euclidean, it makes them unit rows
// again. So they are normalised in one place, and in files too, as every reader of a codebook expects.
func (m *VQKD) UpdateCodebook() {
	if m.counts == nil {
		panic("beit: VQKD: UpdateCodebook without Accumulate")
	}
	switch c := m.Config; {
	case !c.CodebookGradient:
		c.move()(m.Codebook.Value, m.counts, m.sums, float32(c.Decay))
	case !c.Euclidean:
		normalizeRows(m.Codebook.Value)
	}
	m.UpdateUsage()
}

// move returns the function that moves a codebook by EMA, and centroids in k-means.
func (c VQKDConfig) move() func(codebook, counts, sums *tensor.Tensor, decay float32) {
	if c.Euclidean {
		return moveToMeans
	}
	return tensor.CodebookEMA
}

// moveToMeans moves each row of a codebook [K, D] towards the mean of the tokens that chose it: e += (1−decay)·(sums − counts·e)/counts.
// Rows without tokens stay the same, since both terms of the difference are 0.
func moveToMeans(codebook, counts, sums *tensor.Tensor, decay float32) {
	n := counts.Reshape(-1, 1)
	one := tensor.Full(codebook.Device(), 1, 1)
	defer one.Release()
	divisor := tensor.Binary(tensor.BinaryMax, n, one)
	defer divisor.Release()
	by := tensor.Mul(n, codebook) // [K, D]
	defer by.Release()
	tensor.BinaryInto(by, tensor.BinarySub, sums, by)
	tensor.BinaryInto(by, tensor.BinaryDiv, by, divisor)
	tensor.AddScaled(codebook, by, 1-decay)
}

// normalizeRows makes unit rows of x [K, D].
func normalizeRows(x *tensor.Tensor) {
	unit, norms := tensor.L2Normalize(x, 1e-12)
	defer unit.Release()
	defer norms.Release()
	tensor.CopyInto(x, unit)
}

// UpdateUsage is UpdateCodebook for evaluation: it updates the usage statistics only.
func (m *VQKD) UpdateUsage() {
	if m.counts == nil {
		panic("beit: VQKD: UpdateUsage without Accumulate")
	}
	tensor.Lerp(m.Usage.Value, m.counts, m.Config.Decay)
	m.last, m.counts = m.counts, m.last
	m.counts.Zero()
	m.sums.Zero()
}

// ResetUsage sets the usage statistics to zero. Call it at the start of an epoch and of an evaluation.
func (m *VQKD) ResetUsage() { m.Usage.Value.Zero() }

// Ready reports whether the codebook is initialised. With KMeansInit it is not before InitKMeans. Ready waits for the device.
func (m *VQKD) Ready() bool { return m.Initted.Value.Item() > 0 }

// kMeansIterations is the number of iterations in the authors' code.
const kMeansIterations = 10

// InitKMeans initialises the codebook with the k-means centroids of tokens z [M, D] as Encode returns them. initial has the row to start
// from for every code. It returns how many rows each centroid ended with.
func (m *VQKD) InitKMeans(z *tensor.Tensor, initial []int) (counts []float32) {
	if len(initial) != m.Config.Codes {
		panic(fmt.Sprintf("beit: VQKD: %d initial rows for %d codes", len(initial), m.Config.Codes))
	}
	centroids, bins := kMeans(z, initial, kMeansIterations, m.Config.move())
	tensor.CopyInto(m.Codebook.Value, centroids)
	tensor.CopyInto(m.Bins.Value, bins)
	m.Initted.Value.Fill(1)
	centroids.Release()
	defer bins.Release()
	return bins.Float32s()
}

// KMeans clusters unit rows z [M, D] by cosine similarity. Every iteration assigns each row to the nearest centroid and sets each
// centroid to the normalised mean of its rows. A centroid without rows stays the same.
// KMeans returns the centroids [K, D] and the counts [K] of the last assignment. The caller releases both.
func KMeans(z *tensor.Tensor, initial []int, iterations int) (centroids, counts *tensor.Tensor) {
	return kMeans(z, initial, iterations, tensor.CodebookEMA)
}

// KMeansEuclidean is KMeans of rows z [M, D] of any length, by Euclidean distance: a centroid is the mean of its rows.
func KMeansEuclidean(z *tensor.Tensor, initial []int, iterations int) (centroids, counts *tensor.Tensor) {
	return kMeans(z, initial, iterations, moveToMeans)
}

// kMeans is KMeans of rows z [M, D], which moves centroids as a codebook moves.
func kMeans(z *tensor.Tensor, initial []int, iterations int, move func(codebook, counts, sums *tensor.Tensor, decay float32)) (centroids, counts *tensor.Tensor) {
	dev, d := z.Device(), z.Dim(1)
	first := make([]int32, len(initial))
	for i, r := range initial {
		first[i] = int32(r)
	}
	index := tensor.FromInts(dev, first, len(first))
	defer index.Release()
	centroids = tensor.GatherRows(z, index)
	counts = tensor.Zeros(dev, len(initial))
	sums := tensor.New(dev, len(initial), d)
	defer sums.Release()
	for range iterations {
		codes := tensor.NearestCode(z, centroids)
		counts.Zero()
		sums.Zero()
		tensor.CodeStats(counts, sums, codes, z)
		move(centroids, counts, sums, 0) // decay 0: the centroid becomes the mean, or its direction, of its rows
		codes.Release()
	}
	return centroids, counts
}

// SampleRows returns k random rows of n for InitKMeans, without replacement if n ≥ k.
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
