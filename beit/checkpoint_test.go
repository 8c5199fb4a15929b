package beit_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// checkpointed is a model that is trained with and without activation checkpointing.
type checkpointed struct {
	name string
	// declare returns the loss of micro-batch c.Micro.
	declare func(s nn.Scope) func(c nn.Context, images *tensor.Tensor) *autograd.Var
}

// deepViT is 12 narrow blocks, so that activations are most of the memory.
func deepViT() beit.ViTConfig {
	v := tinyViT()
	v.Depth, v.DropPath = 12, 0.3
	return v
}

func checkpointedModels() []checkpointed {
	classifier := func(c beit.ViTConfig) func(s nn.Scope) func(c nn.Context, images *tensor.Tensor) *autograd.Var {
		c.Classes = 5
		return func(s nn.Scope) func(c nn.Context, images *tensor.Tensor) *autograd.Var {
			m := beit.NewViT(s, c)
			return func(c nn.Context, images *tensor.Tensor) *autograd.Var {
				labels := c.Tape.Own(tensor.FromInts(images.Device(), make([]int32, images.Dim(0)), images.Dim(0))).Value()
				return autograd.CrossEntropy(m.Logits(c, c.Tape.Constant(images)), labels, 0.1)
			}
		}
	}
	own := deepViT()
	own.RelPos = beit.RelPosBlock
	return []checkpointed{
		{"ViT/shared bias", classifier(deepViT())},
		{"ViT/own bias", classifier(own)},
		{"MIM", func(s nn.Scope) func(c nn.Context, images *tensor.Tensor) *autograd.Var {
			config := aggregation(32)
			config.ViT, config.Aggregation.Layer = deepViT(), 9
			m := beit.NewMIM(s, config)
			return func(c nn.Context, images *tensor.Tensor) *autograd.Var {
				b := images.Dim(0)
				mask, codes := make([]bool, b*16), make([]int32, b*16)
				for i := range mask {
					mask[i], codes[i] = i%3 == c.Micro, int32(i*7%32)
				}
				return m.Forward(c, c.Tape.Constant(images), mask, beit.GivenCodes(codes)).Loss
			}
		}},
		{"VQKD", func(s nn.Scope) func(c nn.Context, images *tensor.Tensor) *autograd.Var {
			config := tinyVQKD(32)
			config.Encoder.Depth, config.Encoder.DropPath, config.Decoder.Depth = 12, 0.3, 3
			m := beit.NewVQKD(s, config)
			return func(c nn.Context, images *tensor.Tensor) *autograd.Var {
				return m.Forward(c, c.Tape.Constant(images), c.Tape.Own(tensor.Full(images.Device(), 0.1, images.Dim(0), 16, 30)).Value()).Loss
			}
		}},
	}
}

// step makes a step of two micro-batches and returns the bits of all gradients, the peak of memory and what stays in use after Reset.
func (m checkpointed) step(p tensor.Precision, checkpoint bool) (grads []uint32, peak, left int64) {
	dev := tensor.NewDevice(tensor.CPU().Backend())
	dev.SetPoison(true)
	set := nn.NewSet()
	loss := m.declare(set.Scope())
	set.Build(dev, 1, nn.Training)
	images := tensor.FromSlice(dev, testImages(16, 16), 16, 3, 16, 16)
	tape := autograd.NewTape(dev)
	tape.Precision = p
	for micro := range 2 {
		c := nn.Context{Tape: tape, Train: true, Seed: 9, Step: 3, Micro: micro, CheckpointActivations: checkpoint}
		tape.Backward(loss(c, images))
		tape.Reset()
		if micro == 0 {
			left = -dev.MemStats().InUse // tables of indices are made at the first use and stay
		}
	}
	left += dev.MemStats().InUse
	for _, v := range set.Grads().Float32s() {
		grads = append(grads, math.Float32bits(v))
	}
	return grads, dev.MemStats().Peak, left
}

// TestCheckpointedActivations compares all gradients of a step bit by bit. Models have drop path, a shared bias table, blocks whose input
// is used again later, gradient accumulation, and activations that are recomputed or stored rounded.
func TestCheckpointedActivations(t *testing.T) {
	for _, m := range checkpointedModels() {
		for _, p := range []tensor.Precision{tensor.Highest, tensor.Medium} {
			t.Run(fmt.Sprintf("%s/%v", m.name, p), func(t *testing.T) {
				want, all, _ := m.step(p, false)
				got, less, left := m.step(p, true)
				differ, zero := 0, 0
				for i := range want {
					if got[i] != want[i] {
						differ++
					}
					if want[i] == 0 {
						zero++
					}
				}
				if differ > 0 {
					t.Errorf("%d of %d elements differ", differ, len(want))
				}
				if zero > len(want)/2 {
					t.Errorf("%d of %d elements are 0", zero, len(want))
				}
				if left != 0 {
					t.Errorf("%d bytes stay in use", left)
				}
				t.Logf("peak %d KiB, with checkpoints %d KiB (%.2f)", all>>10, less>>10, float64(less)/float64(all))
				if float64(less) > 0.6*float64(all) {
					t.Errorf("peak %d bytes with checkpoints, %d without", less, all)
				}
			})
		}
	}
}

// TestCheckpointWithoutGradients checks that checkpointing does nothing without gradients.
func TestCheckpointWithoutGradients(t *testing.T) {
	dev := tensor.NewDevice(tensor.CPU().Backend())
	set := nn.NewSet()
	m := beit.NewViT(set.Scope(), deepViT())
	set.Build(dev, 1, nn.Inference)
	images := tensor.FromSlice(dev, testImages(2, 16), 2, 3, 16, 16)
	var peak [2]int64
	var values [2][]float32
	for i, checkpoint := range []bool{false, true} {
		tape := autograd.NewTape(dev)
		tape.NoGrad(func() {
			values[i] = m.AllTokens(nn.Context{Tape: tape, CheckpointActivations: checkpoint}, tape.Constant(images)).Value().Float32s()
		})
		peak[i] = dev.MemStats().Peak
		tape.Reset()
	}
	if peak[0] != peak[1] {
		t.Errorf("peaks %v", peak)
	}
	for j, v := range values[0] {
		if v != values[1][j] {
			t.Fatalf("element %d: %v and %v", j, v, values[1][j])
		}
	}
}
