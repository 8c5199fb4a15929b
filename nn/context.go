package nn

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Context is passed to every forward pass: the tape, and the counters that stochastic depth depends on.
type Context struct {
	Tape  *autograd.Tape
	Train bool   // stochastic depth is on, and batch norms use the statistics of the batch
	Seed  uint64 // of the run
	Step  int    // optimizer steps done so far
	Micro int    // which of the step's micro-batches this is

	// CheckpointActivations makes a stack of blocks keep only the input of each block for Backward, which runs the block's forward pass once
	// more. Gradients have the same bytes, and activations take about the memory of one block, for about a third more time. It has no effect
	// where no gradient is recorded.
	CheckpointActivations bool

	// Running gets the statistics of batch norms in training. With nil they are used and forgotten, and are those of this process alone.
	Running *Running
}

// streamDropPath separates the random numbers of stochastic depth from others of the same seed.
const streamDropPath = 0xd709

// Keep returns the factors of stochastic depth (drop path) for a batch of b samples, Float32 [b]. A factor is 1/(1-rate) with probability
// 1-rate, else 0. The factors depend only on (seed, step, micro-batch, layer, sample). When not training, or when the rate is 0, the
// result is nil, which stands for ones. The tape owns the result.
func (c Context) Keep(layer uint64, rate float64, b int) *tensor.Tensor {
	if !c.Train || rate <= 0 {
		return nil
	}
	keep := make([]float32, b)
	for i := range keep {
		u := tensor.NewRand(c.Seed, streamDropPath, uint64(c.Step), uint64(c.Micro), layer, uint64(i)).Float64()
		keep[i] = KeepFactor(u, rate)
	}
	return c.Tape.Own(tensor.FromSlice(c.Tape.Device(), keep, b)).Value()
}

// KeepFactor returns the factor of a residual branch for a uniform number u in [0, 1): 1/(1-rate) when u is at least rate, else 0.
func KeepFactor(u, rate float64) float32 {
	if u < rate {
		return 0
	}
	return float32(1 / (1 - rate))
}

// Exact runs f with matmuls at Highest, whatever the tape's precision. Quantizer, losses and statistics need it.
func (c Context) Exact(f func() *autograd.Var) *autograd.Var {
	p := c.Tape.Precision
	c.Tape.Precision = tensor.Highest
	defer func() { c.Tape.Precision = p }()
	return f()
}
