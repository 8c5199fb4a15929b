//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// Loops that are longer than a driver may let an invocation run give the CPU's numbers: their work is split. A small bound has many parts; with
// that of the device the kernels are large.
func TestLoopsAreSplit(t *testing.T) {
	b := openAny(t, Options{})
	dev, cpu := deviceOf(b), tensor.CPU()
	dev.SetPoison(true)
	b.caps.endsLoops = true
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
	bias := func(d *tensor.Device, samples int) []float32 { // the gradient of an attention's
		const nq, nk, head = 3, 4, 32
		random := func(stream uint64, shape ...int) *tensor.Tensor {
			return tensor.RandUniform(d, tensor.NewRand(1, stream), -1, 1, shape...)
		}
		a := tensor.Attention(tensor.AttentionArgs{
			Q: random(2, samples, nq, head), KV: random(3, samples, nk, 2*head), Bias: random(4, 1, nq, nk), Heads: 1, Scale: 1,
		})
		to := tensor.New(d, 1, nq, nk)
		tensor.AttentionGrad(tensor.AttentionGradArgs{
			DBias: tensor.Grad{To: to}, DOut: random(1, samples, nq, head), Out: a.Out, LSE: a.LSE, Q: a.Q, KV: a.KV, Bias: a.Bias, Heads: 1, Scale: 1,
		})
		return to.Float32s()
	}
	square := func(d *tensor.Device, k int) []float32 {
		x, dst := tensor.Full(d, 1, k, 2), tensor.New(d, 2, 2)
		tensor.MatMulInto(dst, x.T(), x, false, tensor.Highest)
		return dst.Float32s()
	}
	weight := func(d *tensor.Device, rows int) []float32 { // its gradient
		dW := tensor.New(d, 2, 1)
		tensor.LinearGrad(tensor.LinearGradArgs{
			DW: tensor.Grad{To: dW}, DY: tensor.Full(d, 1, rows, 2), X: tensor.Full(d, 1, rows, 1), W: tensor.Full(d, 1, 2, 1),
		})
		return dW.Float32s()
	}
	stats := func(d *tensor.Device, rows int) []float32 { // of codes, most of which are the same
		codes := make([]int32, rows)
		for i := range codes {
			codes[i] = int32(3 * min(1, i%97))
		}
		counts, sums := tensor.Zeros(d, 5), tensor.Zeros(d, 5, 3)
		tensor.CodeStats(counts, sums, tensor.FromInts(d, codes, rows), image(d, rows, 3).Reshape(rows, 3))
		return slices.Concat(counts.Float32s(), sums.Float32s())
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
		{"many terms", b.caps.maxTurns, func(d *tensor.Device) []float32 { return square(d, 66000) }},
		{"many rows of a weight", b.caps.maxTurns, func(d *tensor.Device) []float32 { return weight(d, 1_000_001) }},
		{"many rows of columns", b.caps.maxTurns, func(d *tensor.Device) []float32 {
			return tensor.Reduce(tensor.ReduceSum, tensor.Full(d, 1, 5_000_000, 2), 0).Float32s()
		}},
		{"samples of a bias", 200, func(d *tensor.Device) []float32 { return bias(d, 30) }},
		{"many samples of a bias", b.caps.maxTurns, func(d *tensor.Device) []float32 { return bias(d, 1500) }},
		{"rows of a code", 7, func(d *tensor.Device) []float32 { return stats(d, 40) }},
		{"many rows of a code", b.caps.maxTurns, func(d *tensor.Device) []float32 { return stats(d, 70000) }},
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

// Attention over as many rows as a driver lets an invocation pass gives the CPU's numbers. Over more it is refused by name, forward and backward, and the
// device goes on.
func TestLongAttention(t *testing.T) {
	b := openAny(t, Options{})
	dev, cpu := deviceOf(b), tensor.CPU()
	heads := []int{8, 64, 80, 128, 256}
	if testing.Short() || !b.caps.endsLoops {
		heads = heads[:1]
	}
	b.caps.endsLoops = true
	const few = 3
	attend := func(d *tensor.Device, nq, nk, head int) tensor.AttentionArgs {
		q, kv := tensor.RandUniform(d, tensor.NewRand(1, 1), -1, 1, 1, nq, head), tensor.RandUniform(d, tensor.NewRand(1, 2), -1, 1, 1, nk, 2*head)
		return tensor.Attention(tensor.AttentionArgs{Q: q, KV: kv, Heads: 1, Scale: 1})
	}
	grad := func(a tensor.AttentionArgs) []float32 {
		d := a.Q.Device()
		dQ, dKV := tensor.Grad{To: tensor.New(d, a.Q.Shape()...)}, tensor.Grad{To: tensor.New(d, a.KV.Shape()...)}
		dOut := tensor.RandUniform(d, tensor.NewRand(1, 3), -1, 1, a.Q.Shape()...)
		tensor.AttentionGrad(tensor.AttentionGradArgs{DQ: dQ, DKV: dKV, DOut: dOut, Out: a.Out, LSE: a.LSE, Q: a.Q, KV: a.KV, Heads: 1, Scale: 1})
		return slices.Concat(dQ.To.Float32s(), dKV.To.Float32s())
	}
	refused := func(what string, f func()) {
		t.Helper()
		defer func() {
			failed, _ := recover().(*tensor.Error)
			if failed == nil || !strings.HasPrefix(failed.Error(), "tensor: "+what+": ") || !strings.Contains(failed.Error(), "queries or keys with heads of") {
				t.Errorf("%s panics with %v", what, failed)
			}
		}()
		f()
	}
	for _, head := range heads {
		a := attention{d: head}
		forward, backward := b.caps.allTurns()/a.turns(1, 1)*attentionTile, b.caps.allTurns()/a.turns(2, 2)*attentionTile
		for _, c := range []struct {
			what      string
			got, want []float32
		}{
			{"many keys", attend(dev, few, forward, head).Out.Float32s(), attend(cpu, few, forward, head).Out.Float32s()},
			{"gradients with many keys", grad(attend(dev, few, backward, head)), grad(attend(cpu, few, backward, head))},
			{"gradients with many queries", grad(attend(dev, backward, few, head)), grad(attend(cpu, backward, few, head))},
		} {
			top := float32(1) // sums are as exact as the largest of them
			for _, w := range c.want {
				top = max(top, w, -w)
			}
			for i := range c.want {
				c.got[i], c.want[i] = c.got[i]/top, c.want[i]/top
			}
			if err := near(c.got, c.want); err != nil {
				t.Errorf("%s, heads of %d: %v", c.what, head, err)
			}
		}
		refused("Attention", func() { attend(dev, few, forward+1, head) })
		long := attend(cpu, few, backward+1, head)
		refused("AttentionGrad", func() {
			on := func(x *tensor.Tensor) *tensor.Tensor { return x.To(dev) }
			grad(tensor.AttentionArgs{Q: on(long.Q), KV: on(long.KV), Out: on(long.Out), LSE: on(long.LSE)})
		})
	}
	works(t, b)
}

// Codes of which a search would take too many turns are refused by name where the driver is known to end loops.
func TestLongSearch(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	b.caps.endsLoops = true
	search := func(codes, d int) []int32 {
		codebook := tensor.Zeros(dev, codes, d)
		last := codebook.Slice(0, codes-1, codes)
		tensor.CopyInto(last, tensor.Full(dev, 1, 1, d))
		return tensor.NearestCode(tensor.Full(dev, 1, 2, d), codebook).Ints()
	}
	const d = 256
	most := b.caps.allTurns() / (27*d/16 + 2) * 64
	if got := search(most, d); got[0] != int32(most-1) || got[1] != got[0] {
		t.Errorf("codes %v, want the last of %d", got, most)
	}
	defer func() {
		if failed, _ := recover().(*tensor.Error); failed == nil || !strings.Contains(failed.Error(), "codes of 256 columns are too many") {
			t.Errorf("it panics with %v", failed)
		}
		works(t, b)
	}()
	search(most+1, d)
}
