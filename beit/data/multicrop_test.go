package data

import (
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/google/go-cmp/cmp"
)

func multiCrop(jitter float64) *MultiCrop {
	return &MultiCrop{
		Large: View{Size: 16, Filter: Bicubic, Norm: Unit}, Small: View{Size: 8, Filter: Bicubic, Norm: ImageNet}, Count: 3, LargeScale: [2]float64{0.4, 1},
		SmallScale: [2]float64{0.1, 0.4}, Jitter: jitter,
	}
}

func apply(p Pipeline, m *RGB, seed uint64) (views [][]float32) {
	for _, v := range applied(p, m, tensor.NewRand(seed)) {
		views = append(views, v.Float32)
	}
	return views
}

func TestMultiCrop(t *testing.T) {
	m := noise(23, 19, 1)
	before := slices.Clone(m.Pix)
	p := multiCrop(0.4)
	first := apply(p, m, 1)
	if len(first) != 5 || len(first[1]) != 3*16*16 || len(first[2]) != 3*8*8 {
		t.Fatalf("%d views of %d and %d numbers", len(first), len(first[1]), len(first[2]))
	}
	if d := cmp.Diff(first, apply(p, m, 1)); d != "" {
		t.Errorf("the same seed gives other views:\n%s", d)
	}
	for i, view := range apply(p, m, 2) {
		if cmp.Equal(view, first[i]) {
			t.Errorf("view %d is the same with another seed", i)
		}
	}
	if cmp.Equal(first[0], first[1]) || cmp.Equal(first[2], first[3]) {
		t.Error("two crops of one image are the same")
	}
	if !slices.Equal(m.Pix, before) {
		t.Error("the image was changed")
	}
}

// TestMultiCropWithoutColours: an image of one colour keeps it, in the normalisation of each view.
func TestMultiCropWithoutColours(t *testing.T) {
	m := NewRGB(20, 20)
	for i := range m.Pix {
		m.Pix[i] = uint8(40 + 50*(i%3))
	}
	for i, view := range apply(multiCrop(0), m, 3) {
		n := Unit
		if i >= 2 {
			n = ImageNet
		}
		for c := range 3 {
			want := (float32(40+50*c)/255 - n.Mean[c]) / n.Std[c]
			for _, v := range view[c*len(view)/3 : (c+1)*len(view)/3] {
				if math.Abs(float64(v-want)) > 1e-5 {
					t.Fatalf("view %d, channel %d: %g, want %g", i, c, v, want)
				}
			}
		}
	}
}
