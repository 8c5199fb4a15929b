package beit

import (
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// Constants of re-seeding, which the authors' code does not have.
const (
	reseedEvery   = 100  // steps
	reseedBelow   = 0.1  // of the mean count
	reseedDecay   = 0.99 // of the moving average of counts
	reseedBatches = 8    // number of batches in the ring buffer
	reseedLastOff = 0.75 // fraction of the run after which no code is replaced
	streamReseed  = 0x5eed
)

// Reseeder replaces rarely used codes by tokens of recent batches. The published recipes do not use it. Its results depend on the seed of
// the run, the steps and the observed batches only.
//
// With CodebookGradient the optimiser's moments of a replaced code stay. They have decayed for as long as the code was not used.
type Reseeder struct {
	Counts *tensor.Tensor // EMA of the count of each code, [K]
	Ring   *tensor.Tensor // ring buffer of the tokens of the last 8 batches, [8·M, D]; nil before the first Observe
	Seen   int            // batches observed, those of the other processes included

	seed  uint64
	m     *VQKD
	group dist.Group
}

// NewReseeder returns a Reseeder for a built tokenizer, whose batches are shared by the members of g: rank r observes batches r, r+Size, …
func NewReseeder(m *VQKD, seed uint64, g dist.Group) *Reseeder {
	return &Reseeder{m: m, seed: seed, group: g, Counts: tensor.Zeros(m.Codebook.Value.Device(), m.Config.Codes)}
}

// Observe adds the tokens of a micro-batch to the ring buffer. All batches must have the same size. Call it before the tape's Reset.
func (r *Reseeder) Observe(res VQKDResult) {
	rows := res.Z.Dim(0)
	if r.Ring == nil {
		r.Ring = tensor.Zeros(res.Z.Device(), reseedBatches*rows, res.Z.Dim(1))
	}
	at := (r.Seen + r.group.Rank()) % reseedBatches * rows
	tensor.CopyInto(r.Ring.Slice(0, at, at+rows), res.Z)
	r.Seen += r.group.Size()
}

// Gather brings the batches of the other processes into the ring buffer: each from the process that observed it.
func (r *Reseeder) Gather() error {
	if r.group.Size() == 1 || r.Ring == nil {
		return nil
	}
	rows := r.Ring.Dim(0) / reseedBatches
	for batch := max(0, r.Seen-reseedBatches); batch < r.Seen; batch++ {
		at := batch % reseedBatches * rows
		if err := dist.Share(r.group, r.Ring.Slice(0, at, at+rows), batch%r.group.Size()); err != nil {
			return err
		}
	}
	return nil
}

// Due reports whether Step replaces codes at that step of total, so that Gather has to come before it.
func (r *Reseeder) Due(step, total int) bool {
	done := step + 1
	return done%reseedEvery == 0 && done > reseedEvery && float64(done) <= reseedLastOff*float64(total) && r.Seen > 0
}

// RingSize is the number of elements of Ring for micro-batches of the given number of images.
func (r *Reseeder) RingSize(images int) int {
	return reseedBatches * images * r.m.Config.Encoder.Tokens() * r.m.Config.CodeDim
}

// Step replaces every code whose mean count is below a tenth of the average, and returns how many it replaced. Call it after
// UpdateCodebook at step 0 … total-1. It replaces codes every 100 steps, except in the first 100 and in the last quarter.
func (r *Reseeder) Step(step, total int) int {
	tensor.Lerp(r.Counts, r.m.LastCounts(), reseedDecay)
	if !r.Due(step, total) {
		return 0
	}
	counts := r.Counts.Float32s()
	mean := 0.0
	for _, c := range counts {
		mean += float64(c)
	}
	mean /= float64(len(counts))
	var dead []int
	for k, c := range counts {
		if float64(c) < reseedBelow*mean {
			dead = append(dead, k)
		}
	}
	return r.replace(dead, counts, float32(mean), step)
}

// replace sets each dead code to another row of the ring buffer, as far as there are rows.
func (r *Reseeder) replace(dead []int, counts []float32, mean float32, step int) int {
	rows := r.Ring.Dim(0) / reseedBatches * min(r.Seen, reseedBatches)
	dead = dead[:min(len(dead), rows)]
	if len(dead) == 0 {
		return 0
	}
	d := r.Ring.Dim(1)
	ring, codebook := r.Ring.Float32s(), r.m.Codebook.Value.Float32s()
	taken := map[int]bool{}
	random := tensor.NewRand(r.seed, streamReseed, uint64(step))
	for _, k := range dead {
		row := random.IntN(rows)
		for taken[row] {
			row = (row + 1) % rows
		}
		taken[row] = true
		copy(codebook[k*d:(k+1)*d], ring[row*d:(row+1)*d])
		counts[k] = mean
	}
	r.m.Codebook.Value.Upload(codebook)
	r.Counts.Upload(counts)
	return len(dead)
}

// Release frees the tensors.
func (r *Reseeder) Release() {
	r.Counts.Release()
	if r.Ring != nil {
		r.Ring.Release()
	}
}

// Restore sets the state to a checkpoint's Counts, Ring (nil if there was none) and Seen.
func (r *Reseeder) Restore(counts, ring []float32, seen int) {
	r.Counts.Upload(counts)
	r.Seen = seen
	if ring != nil {
		if r.Ring != nil {
			r.Ring.Release()
		}
		r.Ring = tensor.FromSlice(r.Counts.Device(), ring, len(ring)/r.m.Config.CodeDim, r.m.Config.CodeDim)
	}
}
