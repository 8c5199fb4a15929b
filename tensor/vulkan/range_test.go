//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
)

// Tensors larger than a shader may see at once give the CPU's numbers: their work is split, at places that are not aligned.
func TestTensorsBeyondTheRange(t *testing.T) {
	b := openAny(t, Options{})
	b.caps.maxRange = 128 << 10 // 32768 elements
	dev, cpu := deviceOf(b), tensor.CPU()
	dev.SetPoison(true)

	const rows, long = 3, 40001 // a row alone is too large, and starts where no range may
	wave := make([]float32, rows*long)
	for i := range wave {
		wave[i] = float32(math.Sin(float64(i)*0.7)) + 1.5
	}
	ops := map[string]func(x *tensor.Tensor) *tensor.Tensor{
		"fill":      func(x *tensor.Tensor) *tensor.Tensor { return tensor.Full(x.Device(), 7, rows*long) },
		"unary":     func(x *tensor.Tensor) *tensor.Tensor { return tensor.Unary(tensor.UnaryLog, x) },
		"unarygrad": func(x *tensor.Tensor) *tensor.Tensor { return tensor.UnaryGrad(tensor.UnaryGELU, x, x, nil) },
		"binary":    func(x *tensor.Tensor) *tensor.Tensor { return tensor.Binary(tensor.BinaryMul, x, x) },
		"affine":    func(x *tensor.Tensor) *tensor.Tensor { return tensor.Affine(x, 2, -1) },
		"cast": func(x *tensor.Tensor) *tensor.Tensor {
			return tensor.Cast(tensor.Cast(x, tensor.BFloat16), tensor.Float32)
		},
		"sum of rows":  func(x *tensor.Tensor) *tensor.Tensor { return tensor.Reduce(tensor.ReduceSum, x, 1) },
		"mean of rows": func(x *tensor.Tensor) *tensor.Tensor { return tensor.Reduce(tensor.ReduceMean, x, 1) },
		"max of rows":  func(x *tensor.Tensor) *tensor.Tensor { return tensor.Reduce(tensor.ReduceMax, x, 1) },
		"softmax":      func(x *tensor.Tensor) *tensor.Tensor { return tensor.Softmax(x.Reshape(543, 221)) },
		"short rows": func(x *tensor.Tensor) *tensor.Tensor {
			return tensor.Reduce(tensor.ReduceSum, x.Reshape(543, 221), 1)
		},
	}
	norm := func(x *tensor.Tensor) (y, dx, dw, db *tensor.Tensor) {
		dev, rows := x.Device(), x.Reshape(543, 221)
		w := tensor.Full(dev, 1.5, 221)
		n := tensor.LayerNorm(tensor.LayerNormArgs{X: rows, W: w, B: w, Eps: 1e-6})
		dx, dw, db = tensor.New(dev, 543, 221), tensor.New(dev, 221), tensor.New(dev, 221)
		tensor.LayerNormGrad(tensor.LayerNormGradArgs{
			DX: tensor.Grad{To: dx}, DW: tensor.Grad{To: dw}, DB: tensor.Grad{To: db}, DY: rows, X: rows, W: w, Mean: n.Mean, Rstd: n.Rstd,
		})
		return n.Y, dx, dw, db
	}
	ops["norm"] = func(x *tensor.Tensor) *tensor.Tensor { y, _, _, _ := norm(x); return y }
	ops["norm dx"] = func(x *tensor.Tensor) *tensor.Tensor { _, dx, _, _ := norm(x); return dx }
	ops["norm dw"] = func(x *tensor.Tensor) *tensor.Tensor { _, _, dw, _ := norm(x); return dw }
	ops["norm db"] = func(x *tensor.Tensor) *tensor.Tensor { _, _, _, db := norm(x); return db }
	o := tensor.ConvOptions{Padding: [2]int{1, 2}, Dilation: [2]int{1, 2}}
	images := func(x *tensor.Tensor) (images, kernels, bias *tensor.Tensor) { // an image alone is too large
		flat := x.Reshape(-1)
		return flat.Slice(0, 1, 68401).Reshape(2, 3, 60, 190), flat.Slice(0, 7, 7+4*3*3*3).Reshape(4, 3, 3, 3), flat.Slice(0, 3, 7)
	}
	ops["gradients of a convolution"] = func(x *tensor.Tensor) *tensor.Tensor {
		img, w, _ := images(x)
		dx, dw := tensor.New(x.Device(), img.Shape()...), tensor.New(x.Device(), w.Shape()...)
		dy := tensor.Conv2D(tensor.Conv2DArgs{X: img, W: w, ConvOptions: o})
		tensor.Conv2DGrad(tensor.Conv2DGradArgs{
			DX: tensor.Grad{To: dx}, DW: tensor.Grad{To: dw}, DY: tensor.Affine(dy, 0.01, 0), X: img, W: w, ConvOptions: o,
		})
		return tensor.Concat(0, dx.Reshape(-1), dw.Reshape(-1))
	}
	ops["convolution"] = func(x *tensor.Tensor) *tensor.Tensor {
		img, w, bias := images(x)
		return tensor.Conv2D(tensor.Conv2DArgs{X: img, W: w, Bias: bias, ConvOptions: o})
	}
	ops["added bias"] = func(x *tensor.Tensor) *tensor.Tensor {
		img, _, bias := images(x)
		return tensor.Add(img, bias.Slice(0, 0, 3).Reshape(3, 1, 1))
	}
	channels := func(x *tensor.Tensor) *tensor.Tensor { return x.Reshape(-1).Slice(0, 1, 120001).Reshape(2, 2, 30000) }
	ops["batch statistics"] = func(x *tensor.Tensor) *tensor.Tensor {
		mean, variance := tensor.BatchStats(channels(x))
		return tensor.Concat(0, mean, variance)
	}
	ops["batch sums"] = func(x *tensor.Tensor) *tensor.Tensor {
		mean, variance := tensor.BatchStats(channels(x))
		return tensor.BatchNormSums(tensor.Affine(channels(x), 1e-3, 0), channels(x), mean, variance, 1e-6)
	}
	ops["integers"] = func(x *tensor.Tensor) *tensor.Tensor {
		whole := tensor.Cast(tensor.Affine(x, 1000, 0), tensor.Int32)
		return tensor.Cast(tensor.Add(whole, tensor.Mul(whole, whole)), tensor.Float32)
	}
	for name, op := range ops {
		t.Run(name, func(t *testing.T) {
			want := op(tensor.FromSlice(cpu, wave, rows, long)).Float32s()
			got := op(tensor.FromSlice(dev, wave, rows, long)).Float32s()
			if err := dev.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := near(got, want); err != nil {
				t.Error(err)
			}
		})
	}
}

// What was kept in bfloat16 is read in parts as well: samples one after another, at places that are not whole words.
func TestKeptInParts(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	dev.SetPoison(true)
	whole := b.caps
	for _, limited := range []func(){
		func() {},                             // precision medium is tried out in whole
		func() { b.caps.maxRange = 20 << 10 }, // not all samples
		func() { b.caps.maxGroups = 4 },
	} {
		b.caps = whole
		limited()
		if err := opcase.CheckKept(dev); err != nil {
			t.Error(err)
		}
	}
}

// near compares to 1e-5 of the value or of 1.
func near(got, want []float32) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d elements, want %d", len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i]-w)) <= 1e-5*max(1, math.Abs(float64(w)))) {
			return fmt.Errorf("element %d is %v, want %v", i, got[i], w)
		}
	}
	return nil
}

// A head that no workgroup of the device can hold a row of is refused by name, and the device goes on.
func TestHeadsBeyondSharedMemory(t *testing.T) {
	b := openAny(t, Options{})
	b.caps.shared = 8 << 10
	dev := deviceOf(b)
	func() {
		defer func() {
			failed, _ := recover().(*tensor.Error)
			if failed == nil || failed.Err == nil || !strings.HasPrefix(failed.Error(), "tensor: Attention: ") || !strings.Contains(failed.Error(), "heads of 8 columns take") {
				t.Errorf("it panics with %v", failed)
			}
		}()
		tensor.Attention(tensor.AttentionArgs{QKV: tensor.Zeros(dev, 1, 3, 3*8), Heads: 1, Scale: 1})
	}()
	works(t, b)
}
