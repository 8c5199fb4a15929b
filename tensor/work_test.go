package tensor_test

import (
	"sync"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// What an operation adds to the work of a device, counted by hand.
func TestWork(t *testing.T) {
	dev := tensor.NewDevice(tensor.CPU().Backend()) // whose work no other test adds to
	zeros := func(shape ...int) *tensor.Tensor { return tensor.Zeros(dev, shape...) }
	qkv := zeros(2, 5, 3*8)
	att := tensor.Attention(tensor.AttentionArgs{QKV: qkv, Heads: 2, Scale: 1})
	for _, c := range []struct {
		name string
		want float64
		run  func()
	}{
		{"matmul of a batch", 2 * 3 * 4 * 5 * 6, func() { tensor.MatMul(zeros(3, 4, 5), zeros(5, 6)) }},
		{"linear", 2 * 6 * 5 * 7, func() { tensor.Linear(tensor.LinearArgs{X: zeros(2, 3, 5), W: zeros(7, 5)}) }},
		{"gradient of weights alone", 2 * 6 * 5 * 7, func() {
			tensor.LinearGrad(tensor.LinearGradArgs{DY: zeros(6, 7), X: zeros(6, 5), W: zeros(7, 5), DW: tensor.Grad{To: zeros(7, 5)}})
		}},
		{"gradients of a linear layer", 2 * 2 * 6 * 5 * 7, func() {
			tensor.LinearGrad(tensor.LinearGradArgs{
				DY: zeros(6, 7), X: zeros(6, 5), W: zeros(7, 5), DX: tensor.Grad{To: zeros(6, 5)}, DW: tensor.Grad{To: zeros(7, 5)},
			})
		}},
		{"attention", 2 * 2 * 2 * 2 * 5 * 5 * 4, func() { tensor.Attention(tensor.AttentionArgs{QKV: qkv, Heads: 2, Scale: 1}) }},
		{"gradient of attention", 5 * 2 * 2 * 2 * 5 * 5 * 4, func() {
			tensor.AttentionGrad(tensor.AttentionGradArgs{
				DQKV: tensor.Grad{To: zeros(2, 5, 24)}, DOut: zeros(2, 5, 8), Out: att.Out, LSE: att.LSE, QKV: qkv, Heads: 2, Scale: 1,
			})
		}},
		{"convolution of two groups", 2 * 2 * 6 * 9 * 5 * 7 * 2, func() {
			tensor.Conv2D(tensor.Conv2DArgs{X: zeros(2, 4, 5, 7), W: zeros(6, 2, 3, 3), ConvOptions: tensor.ConvOptions{Padding: [2]int{1, 1}, Groups: 2}})
		}},
		{"gradients of a convolution", 2 * 2 * 2 * 6 * 9 * 3 * 5 * 4, func() {
			tensor.Conv2DGrad(tensor.Conv2DGradArgs{
				DX: tensor.Grad{To: zeros(2, 4, 5, 7)}, DW: tensor.Grad{To: zeros(6, 4, 3, 3)}, DY: zeros(2, 6, 3, 5), X: zeros(2, 4, 5, 7), W: zeros(6, 4, 3, 3),
			})
		}},
		{"transposed convolution", 2 * 3 * 4 * 6 * 4 * 5 * 7, func() {
			tensor.ConvTranspose2D(tensor.Conv2DArgs{X: zeros(3, 4, 5, 7), W: zeros(4, 6, 2, 2), ConvOptions: tensor.ConvOptions{Stride: [2]int{2, 2}}})
		}},
		{"lookup", 2 * 9 * 4 * 11, func() { tensor.NearestCode(zeros(9, 4), tensor.Full(dev, 0.5, 11, 4)) }},
		{"element-wise", 0, func() { tensor.Add(zeros(3), zeros(3)) }},
		{"the caller's own", 12, func() { dev.AddWork(12) }},
	} {
		before := dev.Work()
		c.run()
		if got := dev.Work() - before; got != c.want {
			t.Errorf("%s: %g operations, want %g", c.name, got, c.want)
		}
	}
}

// Work of several goroutines is not lost.
func TestWorkOfGoroutines(t *testing.T) {
	dev := tensor.NewDevice(tensor.CPU().Backend()) // whose work no other test adds to
	before := dev.Work()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				dev.AddWork(1)
			}
		})
	}
	all.Wait()
	if got := dev.Work() - before; got != 8000 {
		t.Errorf("%g operations of 8000", got)
	}
}
