//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// Loops that are longer than a driver may let an invocation run give the CPU's numbers: their work is split. A small bound has many parts; with
// that of the device the kernels are large.
func TestLoopsAreSplit(t *testing.T) {
	b := openAny(t, Options{})
	dev, cpu := deviceOf(b), tensor.CPU()
	dev.SetPoison(true)
	image := func(d *tensor.Device, h, w int) *tensor.Tensor {
		x := make([]float32, h*w)
		for i := range x {
			x[i] = float32(i * 7919 % 101) // with many equal maxima
		}
		x[max(0, len(x)-2)] = 200
		return tensor.FromSlice(d, x, 1, 1, h, w)
	}
	pool := func(d *tensor.Device, h, w int, win tensor.Window) []float32 {
		y, index := tensor.MaxPool(image(d, h, w), win)
		dy := image(d, y.Dim(2), y.Dim(3))
		return slices.Concat(y.Float32s(), tensor.Cast(index, tensor.Float32).Float32s(), tensor.MaxPoolGrad(dy, index, h, w, win).Float32s())
	}
	spread := func(d *tensor.Device, h, w, side int) []float32 { // only some taps in the middle of a kernel see the image
		o := tensor.ConvOptions{Padding: [2]int{side / 2, side / 2}}
		x, kernels := image(d, h, w), image(d, side, side)
		dx := tensor.Full(d, 3, 1, 1, h, w)
		tensor.Conv2DGrad(tensor.Conv2DGradArgs{DX: tensor.Grad{To: dx, Add: true}, DY: x, X: x, W: kernels, ConvOptions: o})
		return dx.Float32s()
	}
	upstream := func(d *tensor.Device, rows int) []float32 { // of a GELU
		const n, k = 3, 2
		matrix := func(stream uint64, m, n int) *tensor.Tensor {
			r, x := tensor.NewRand(1, stream), make([]float32, m*n)
			for i := range x {
				x[i] = float32(r.Uniform(-2, 2))
			}
			return tensor.FromSlice(d, x, m, n)
		}
		a := tensor.LinearGradArgs{DY: matrix(1, rows, n), X: matrix(2, rows, k), W: matrix(3, n, k), Pre: matrix(4, rows, n)}
		a.DX.To, a.DBias.To = tensor.New(d, rows, k), tensor.New(d, n)
		tensor.LinearGrad(a)
		return slices.Concat(a.DX.To.Float32s(), a.DBias.To.Float32s())
	}
	for _, c := range []struct {
		name  string
		turns int
		f     func(d *tensor.Device) []float32
	}{
		{"overlapping windows", 7, func(d *tensor.Device) []float32 {
			return pool(d, 9, 11, tensor.Window{Kernel: [2]int{5, 4}, Stride: [2]int{2, 1}, Padding: [2]int{2, 1}})
		}},
		{"wide windows", 7, func(d *tensor.Device) []float32 {
			return pool(d, 8, 40, tensor.Window{Kernel: [2]int{3, 30}, Stride: [2]int{1, 2}, Padding: [2]int{1, 15}})
		}},
		{"taps", 7, func(d *tensor.Device) []float32 { return spread(d, 4, 5, 5) }},
		{"one window", b.caps.maxTurns, func(d *tensor.Device) []float32 { return pool(d, 300, 300, tensor.SquareWindow(300, 1, 0)) }},
		{"a long line", b.caps.maxTurns, func(d *tensor.Device) []float32 {
			return pool(d, 1, 70000, tensor.Window{Kernel: [2]int{1, 70000}})
		}},
		{"rows of a gradient", 7, func(d *tensor.Device) []float32 { return upstream(d, 3*7*mostPieces+5) }},
		{"many taps", b.caps.maxTurns, func(d *tensor.Device) []float32 { return spread(d, 2, 2, 401) }},
	} {
		b.caps.maxTurns = c.turns
		want, got := c.f(cpu), c.f(dev)
		if err := dev.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := near(got, want); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
