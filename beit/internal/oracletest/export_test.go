package oracletest

import (
	"testing"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// File is a file of reference data, for the checks of methods. They are in package oracletest_test: a method's folder is imported by nothing but
// tests here.
type File struct{ *file }

// Steps are training steps.
type Steps = steps

// AdamW is the optimiser's configuration, with one rate for all layers.
func (s steps) AdamW() optim.AdamWConfig { return s.adamW(0) }

// DecayAt is the weight decay of a step.
func (s steps) DecayAt(step int) float64 { return s.Decay.at(step) }

// OpenFile opens a file of a set. Where another set than the project's own does not have it, the test is skipped.
func (s *Set) OpenFile(t *testing.T, name string) *File {
	t.Helper()
	if !s.Has(name) {
		s.Unknown(t, "the set has no %s", name)
	}
	return &File{s.file(t, name)}
}

func (f *File) Decode(t *testing.T, to any)                { f.config(t, to) }
func (f *File) Variants() []string                         { return f.variants() }
func (f *File) Names(prefix string) []string               { return f.names(prefix) }
func (f *File) Values(t *testing.T, name string) []float32 { return f.floats(t, name) }
func (f *File) Bools(t *testing.T, name string) []bool     { return bools(f.ints(t, name)) }
func (f *File) Codes(t *testing.T, name string) []int32    { return f.int32s(t, name) }
func (f *File) Tensor(t *testing.T, d *tensor.Device, n string) *tensor.Tensor {
	return f.tensor(t, d, n)
}
func (f *File) Equal(t *testing.T, name string, got []float32) { f.equal(t, name, got) }
func (f *File) EqualTensor(t *testing.T, name string, got *tensor.Tensor) {
	f.equalTensor(t, name, got)
}
func (f *File) EqualInts(t *testing.T, name string, got []int)      { f.equalInts(t, name, got) }
func (f *File) Ints(t *testing.T, name string) []int                { return f.ints(t, name) }
func (f *File) Load(t *testing.T, set *nn.Set, prefixes ...string)  { f.load(t, set, prefixes...) }
func (f *File) Gradients(t *testing.T, set *nn.Set, prefix string)  { f.gradients(t, set, prefix) }
func (f *File) Final(t *testing.T, set *nn.Set, variant string)     { f.final(t, set, variant) }
func (f *File) Complete(t *testing.T, prefix string)                { f.complete(t, prefix) }
func (f *File) Trained(t *testing.T, variant string, s *Steps) bool { return f.trained(t, variant, s) }

// GradNorm is the norm of the gradient in the last step of opt, before clipping.
func GradNorm(t *testing.T, opt *optim.AdamW) float32 {
	t.Helper()
	return gradNorm(t, opt)
}

// Part is element i of the first axis of a tensor with one for each training step.
func (f *File) Part(t *testing.T, d *tensor.Device, name string, i int) *tensor.Tensor {
	return f.part(t, d, name, i)
}

// Moved compares values with a tensor after training steps, which began with start, by the relative 2-norm of the error of their change.
func (f *File) Moved(t *testing.T, name string, start, got []float32) {
	t.Helper()
	f.moved(t, name, start, got)
}
