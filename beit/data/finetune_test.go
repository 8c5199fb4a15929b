package data

import (
	"image"
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

func TestFineTuneFlips(t *testing.T) { // without distortions it is RandomCrop, whose draws come in another order
	m := noise(30, 30, 1)
	for _, jitter := range []float64{0, 1e-9} { // the mirror is made by ToFloat, or before the jitter
		p := &FineTune{View: View{Size: 16, Filter: Bicubic, Norm: ImageNet}, Scale: [2]float64{1, 1}, Jitter: jitter}
		seen := map[bool]int{}
		box := Resize(m, image.Rect(0, 0, 30, 30), 16, 16, Bicubic)
		plain, mirrored := make([]float32, 3*16*16), make([]float32, 3*16*16)
		ToFloat(plain, box, ImageNet, false)
		ToFloat(mirrored, box, ImageNet, true)
		for seed := range uint64(20) {
			got := make([]float32, 3*16*16)
			p.Apply(into(got), unlabelled(m), tensor.NewRand(seed))
			switch {
			case slices.Equal(got, plain):
				seen[false]++
			case slices.Equal(got, mirrored):
				seen[true]++
			default:
				t.Fatalf("jitter %g, seed %d: neither the picture nor its mirror image", jitter, seed)
			}
		}
		if seen[false] < 4 || seen[true] < 4 {
			t.Errorf("jitter %g: mirrored and not: %v of 20", jitter, seen)
		}
	}
}

func TestFineTunePads(t *testing.T) { // by no pixel: then nothing is random but the flip
	m := noise(16, 16, 1)
	plain, mirrored := make([]float32, 3*16*16), make([]float32, 3*16*16)
	ToFloat(plain, m, ImageNet, false)
	ToFloat(mirrored, m, ImageNet, true)
	for pad := range 3 {
		p := &FineTune{View: View{Size: 16, Filter: Bicubic, Norm: ImageNet}, Scale: [2]float64{0.1, 0.2}, Padded: true, Pad: pad}
		places := map[float32]bool{}
		for seed := range uint64(40) {
			got := make([]float32, 3*16*16)
			p.Apply(into(got), unlabelled(m), tensor.NewRand(seed))
			places[got[8*16+8]] = true
			if whole := slices.Equal(got, plain) || slices.Equal(got, mirrored); pad == 0 && !whole {
				t.Fatalf("seed %d: neither the picture nor its mirror image", seed)
			}
		}
		if least := []int{1, 6, 12}[pad]; len(places) < least || pad == 0 && len(places) > 2 {
			t.Errorf("padded by %d: %d different values in the centre", pad, len(places))
		}
	}
}

func TestEraseBox(t *testing.T) {
	const size, n = 224, 20000
	areas, tall := 0.0, 0
	for i := range uint64(n) {
		box := EraseBox(size, tensor.NewRand(i))
		w, h := box.Dx(), box.Dy()
		share, aspect := float64(w*h)/(size*size), float64(h)/float64(w)
		if share < 0.018 || share > 0.34 || aspect < 0.27 || aspect > 3.6 || !box.In(image.Rect(0, 0, size, size)) {
			t.Fatalf("%v: share %.3f, aspect %.3f", box, share, aspect)
		}
		areas += share / n
		if aspect > 1 {
			tall++
		}
	}
	if math.Abs(areas-0.171) > 0.01 || math.Abs(float64(tall)/n-0.5) > 0.02 { // (0.02 + 1/3)/2 = 0.177, less where wide boxes did not fit
		t.Errorf("mean share %.4f, %d of %d taller than wide", areas, tall, n)
	}
}

func TestErase(t *testing.T) {
	m := noise(32, 32, 2)
	whole := make([]float32, 3*32*32)
	ToFloat(whole, m, ImageNet, false)
	erased, sum, square, count := 0, 0.0, 0.0, 0
	for seed := range uint64(400) {
		p := &FineTune{View: View{Size: 32, Filter: Bicubic, Norm: ImageNet}, Scale: [2]float64{1, 1}, Erase: 0.25}
		got, plain := make([]float32, len(whole)), make([]float32, len(whole))
		p.Apply(into(got), unlabelled(m), tensor.NewRand(seed))
		p.Erase = 0
		p.Apply(into(plain), unlabelled(m), tensor.NewRand(seed))
		if slices.Equal(got, plain) {
			continue
		}
		erased++
		for i, v := range got {
			if v != plain[i] {
				sum, square, count = sum+float64(v), square+float64(v*v), count+1
			}
		}
	}
	mean := sum / float64(count)
	if erased < 75 || erased > 125 || math.Abs(mean) > 0.02 || math.Abs(square/float64(count)-1) > 0.03 {
		t.Errorf("%d of 400 erased, noise of mean %.4f and square %.4f: want about 100, 0 and 1", erased, mean, square/float64(count))
	}
}

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
		got := cutMix(c.share, c.cx, c.cy, 10)
		if math.Abs(got.Share-c.want.Share) > 1e-12 || got.Box.Dx() != c.want.Box.Dx() || !c.want.Box.Empty() && got.Box != c.want.Box {
			t.Errorf("share %g at (%d, %d): %+v, want %+v", c.share, c.cx, c.cy, got, c.want)
		}
	}
}

func TestMix(t *testing.T) {
	const size, b = 4, 3
	images := make([]float32, b*3*size*size)
	for i := range images {
		images[i] = float32(i / (3 * size * size)) // picture k is k everywhere
	}
	value := func(x []float32, k, c, y, col int) float32 { return x[((k*3+c)*size+y)*size+col] }
	t.Run("mixup", func(t *testing.T) {
		x := slices.Clone(images)
		Mix{Share: 0.75}.Apply(x, size)
		for k, want := range []float32{0.5, 1, 1.5} { // 0.25·2, itself, 0.75·2
			if got := value(x, k, 2, 3, 1); got != want {
				t.Errorf("picture %d is %g, want %g", k, got, want)
			}
		}
	})
	t.Run("cutmix", func(t *testing.T) {
		x := slices.Clone(images)
		Mix{Share: 0.875, Box: image.Rect(1, 2, 3, 3)}.Apply(x, size)
		for _, c := range []struct {
			k, y, col int
			want      float32
		}{{0, 2, 1, 2}, {0, 2, 2, 2}, {0, 2, 3, 0}, {0, 1, 1, 0}, {1, 2, 1, 1}, {2, 2, 1, 0}, {2, 3, 1, 2}} {
			if got := value(x, c.k, 1, c.y, c.col); got != c.want {
				t.Errorf("picture %d at row %d, column %d is %g, want %g", c.k, c.y, c.col, got, c.want)
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
			m := x.Draw(1000, tensor.NewRand(i, 77))
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

func TestFraction(t *testing.T) {
	ds := labelled{counts: []int{100, 7, 0, 30}}
	small, err := Fraction(ds, 0.1, 5)
	if err != nil {
		t.Fatal(err)
	}
	large, err := Fraction(ds, 0.5, 5)
	if err != nil {
		t.Fatal(err)
	}
	count := func(d Dataset) (n [4]int) {
		for i := range d.Len() {
			n[d.Label(i)]++
		}
		return n
	}
	if got := count(small); got != [4]int{10, 1, 0, 3} {
		t.Errorf("a tenth has %v pictures of each class", got)
	}
	if got := count(large); got != [4]int{50, 4, 0, 15} {
		t.Errorf("half has %v pictures of each class", got)
	}
	in := map[string]bool{}
	for i := range large.Len() {
		in[large.Name(i)] = true
	}
	for i := range small.Len() {
		if !in[small.Name(i)] {
			t.Errorf("%s is in a tenth and not in half", small.Name(i))
		}
	}
	for _, bad := range []float64{0, -1, 1.5, math.NaN()} {
		if _, err := Fraction(ds, bad, 5); err == nil {
			t.Errorf("share %g: no error", bad)
		}
	}
	if _, err := Fraction(labelled{}, 0.5, 5); err == nil {
		t.Error("pictures without labels: no error")
	}
}

// labelled has counts[c] pictures of class c, which cannot be read.
type labelled struct {
	Dataset
	counts []int
}

func (l labelled) Len() (n int) {
	for _, c := range l.counts {
		n += c
	}
	return n
}

func (l labelled) Name(i int) string { return string(rune('A' + i)) }

func (l labelled) Label(i int) int {
	for c, n := range l.counts {
		if i < n {
			return c
		}
		i -= n
	}
	return -1
}

func (l labelled) Classes() []string { return []string{"a", "b", "c", "d"}[:len(l.counts)] }
