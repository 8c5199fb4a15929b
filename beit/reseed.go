package beit

import "github.com/gobeit/gobeit/tensor"

// Constants of re-seeding, which is our addition.
const (
	reseedEvery   = 100  // steps
	reseedBelow   = 0.1  // of the mean count
	reseedDecay   = 0.99 // of the moving average of counts
	reseedBatches = 8    // whose tokens may become codes
	reseedLastOff = 0.75 // part of the run after which codes are left alone
	streamReseed  = 0x5eed
)

// Reseeder replaces codes that are hardly used by tokens of recent batches. The published recipes do without.
// It depends on the run's seed, the steps and what it observed alone.
type Reseeder struct {
	Counts *tensor.Tensor // moving average of each code's count, [K]
	Ring   *tensor.Tensor // unit rows of the last batches, [8·M, D]; nil before the first Observe
	Seen   int            // batches observed

	seed uint64
	m    *VQKD
}

// NewReseeder makes a reseeder for a built tokenizer.
func NewReseeder(m *VQKD, seed uint64) *Reseeder {
	return &Reseeder{m: m, seed: seed, Counts: tensor.Zeros(m.Codebook.Value.Device(), m.Config.Codes)}
}

// Observe remembers a micro-batch's tokens. Batches of a run have one size; call it before the tape's Reset.
func (r *Reseeder) Observe(res VQKDResult) {
	rows := res.Z.Dim(0)
	if r.Ring == nil {
		r.Ring = tensor.Zeros(res.Z.Device(), reseedBatches*rows, res.Z.Dim(1))
	}
	at := r.Seen % reseedBatches * rows
	tensor.CopyInto(r.Ring.Slice(0, at, at+rows), res.Z)
	r.Seen++
}

// RingSize is how many numbers Ring has when micro-batches are of so many pictures.
func (r *Reseeder) RingSize(pictures int) int {
	return reseedBatches * pictures * r.m.Config.Encoder.Tokens() * r.m.Config.CodeDim
}

// Step is called after the codebook's update of step 0 … total-1. Every 100 steps, outside the first 100 and the last quarter, it
// replaces each code whose average count is below a tenth of the mean, and returns how many it replaced.
func (r *Reseeder) Step(step, total int) int {
	tensor.Lerp(r.Counts, r.m.LastCounts(), reseedDecay)
	done := step + 1
	if done%reseedEvery != 0 || done <= reseedEvery || float64(done) > reseedLastOff*float64(total) || r.Seen == 0 {
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

// replace gives each dead code a distinct row of the ring, as far as there are rows.
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

// Restore continues from a checkpoint's Counts, Ring (nil when there was none) and Seen.
func (r *Reseeder) Restore(counts, ring []float32, seen int) {
	r.Counts.Upload(counts)
	r.Seen = seen
	if ring != nil {
		r.Ring = tensor.FromSlice(r.Counts.Device(), ring, len(ring)/r.m.Config.CodeDim, r.m.Config.CodeDim)
	}
}
