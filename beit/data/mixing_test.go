package data

import (
	"image"
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

func TestCutMix(t *testing.T) {
	for _, c := range []struct {
		share  float64
		cx, cy int
		want   Mix
	}{
		{0.75, 5, 5, Mix{0.84, image.Rect(3, 3, 7, 7)}},   // side int(10·0.5) = 5, half 2: the box loses a row, and the share follows
		{0.64, 0, 5, Mix{0.82, image.Rect(0, 2, 3, 8)}},   // side 6, half 3, cut at the left border
		{0.64, 9, 9, Mix{0.84, image.Rect(6, 6, 10, 10)}}, // in a corner
		{1, 5, 5, Mix{1, image.Rectangle{}}},
	} {
		got := cutMix(c.share, c.cx, c.cy, 10, 10)
		if math.Abs(got.Share-c.want.Share) > 1e-12 || got.Box.Dx() != c.want.Box.Dx() || !c.want.Box.Empty() && got.Box != c.want.Box {
			t.Errorf("share %g at (%d, %d): %+v, want %+v", c.share, c.cx, c.cy, got, c.want)
		}
	}
}

func TestMix(t *testing.T) {
	const size, b = 4, 3
	images := make([]float32, b*3*size*size)
	for i := range images {
		images[i] = float32(i / (3 * size * size)) // image k is k everywhere
	}
	value := func(x []float32, k, c, y, col int) float32 { return x[((k*3+c)*size+y)*size+col] }
	t.Run("mixup", func(t *testing.T) {
		x := slices.Clone(images)
		Mix{Share: 0.75}.Apply(x, 3, size, size)
		for k, want := range []float32{0.5, 1, 1.5} { // 0.25·2, itself, 0.75·2
			if got := value(x, k, 2, 3, 1); got != want {
				t.Errorf("image %d is %g, want %g", k, got, want)
			}
		}
	})
	t.Run("cutmix", func(t *testing.T) {
		x := slices.Clone(images)
		Mix{Share: 0.875, Box: image.Rect(1, 2, 3, 3)}.Apply(x, 3, size, size)
		for _, c := range []struct {
			k, y, col int
			want      float32
		}{{0, 2, 1, 2}, {0, 2, 2, 2}, {0, 2, 3, 0}, {0, 1, 1, 0}, {1, 2, 1, 1}, {2, 2, 1, 0}, {2, 3, 1, 2}} {
			if got := value(x, c.k, 1, c.y, c.col); got != c.want {
				t.Errorf("image %d at row %d, column %d is %g, want %g", c.k, c.y, c.col, got, c.want)
			}
		}
	})
	t.Run("targets", func(t *testing.T) { // s = 0.1 of 4 classes: 0.025 everywhere, and 0.9 shared out
		got := Mix{Share: 0.75}.Targets([]int32{2, 3, 2, 0}, 4, 0.1)
		want := []float32{0.25, 0.025, 0.7, 0.025, 0.025, 0.025, 0.25, 0.7, 0.025, 0.025, 0.7, 0.25, 0.7, 0.025, 0.25, 0.025}
		for i, w := range want {
			if math.Abs(float64(got[i]-w)) > 1e-6 {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	})
}

func TestMixingDraw(t *testing.T) {
	moments := func(x Mixing) (cut int, mean, square float64) {
		const n = 20000
		for i := range uint64(n) {
			m := x.Draw(1000, 1000, tensor.NewRand(i, 77))
			if !m.Box.Empty() {
				cut++
			}
			mean, square = mean+m.Share/n, square+m.Share*m.Share/n
		}
		return cut, mean, square
	}
	// Beta(a, a) has mean 1/2 and variance 1/(4(2a+1)).
	for _, a := range []float64{0.1, 0.8, 1, 4} {
		cut, mean, square := moments(Mixing{Mixup: a})
		variance := square - mean*mean
		if want := 1 / (4 * (2*a + 1)); cut != 0 || math.Abs(mean-0.5) > 0.01 || math.Abs(variance-want) > 0.005 {
			t.Errorf("mixup %g: mean %.4f, variance %.4f, want 0.5 and %.4f; %d cut", a, mean, variance, want, cut)
		}
	}
	if cut, _, _ := moments(Mixing{Mixup: 0.8, Cutmix: 1}); math.Abs(float64(cut)/20000-0.5) > 0.02 {
		t.Errorf("%d of 20000 are cut, want about half", cut)
	}
	if cut, mean, _ := moments(Mixing{Cutmix: 1}); cut < 19900 || mean < 0.6 || mean > 0.7 { // 1/2, and more where boxes are cut at the border
		t.Errorf("%d of 20000 are cut, mean share %.3f", cut, mean)
	}
}
