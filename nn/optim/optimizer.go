package optim

import "github.com/gobeit/gobeit/tensor"

// Optimizer is what AdamW, Adam and SGD have in common, for programs that choose one.
type Optimizer interface {
	// Step clips the gradients and updates the parameters with learning rate lr.
	Step(lr float64)
	// State returns [norm, factor, finite] of the last step, on the device.
	State() *tensor.Tensor
	// Save writes the optimizer's state to a file, and Load reads it.
	Save(path string) error
	Load(path string) error
	// Release releases the optimizer's state.
	Release()
}

var _ = []Optimizer{(*AdamW)(nil), (*Adam)(nil), (*SGD)(nil)}
