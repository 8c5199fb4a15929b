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
				t.Fatalf("jitter %g, seed %d: neither the image nor its mirror image", jitter, seed)
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
				t.Fatalf("seed %d: neither the image nor its mirror image", seed)
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
		box := EraseBox(size, size, tensor.NewRand(i))
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
