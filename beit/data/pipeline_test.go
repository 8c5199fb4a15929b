package data

import (
	"image"
	"math"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/google/go-cmp/cmp"
)

// squareCrop is a random resized crop of 8 to 100 % of the area, with values in [0, 1].
func squareCrop(size int) *RandomCrop {
	return &RandomCrop{Scale: [2]float64{0.08, 1}, Views: []View{{Size: size, Filter: Bicubic, Norm: Unit}}}
}

// pretrainCrop is the augmentation of pre-training: one crop, seen by the student and by the tokenizer.
func pretrainCrop(student, tokenizer View) *RandomCrop {
	tokenizer.Name = "target"
	return &RandomCrop{Scale: [2]float64{0.2, 1}, Jitter: 0.4, Views: []View{student, tokenizer}}
}

// centre is the transform of validation, with values in [0, 1].
func centre(size int) *Eval {
	return &Eval{Views: []View{{Size: size, Filter: Bicubic, Norm: Unit}}}
}

// unlabelled is a sample of m without a label.
func unlabelled(m Image) Sample { return Sample{Image: m, Label: -1} }

// into is x as the destination of a pipeline with one field.
func into(x []float32) Tensors { return Tensors{{Float32: x}} }

// applied is what p makes of m.
func applied(p Pipeline, m Image, r *tensor.Rand) Tensors {
	dst := newTensors(p.Outputs(), 1)
	p.Apply(dst, unlabelled(m), r)
	return dst
}

func TestExtremeAspect(t *testing.T) {
	for _, m := range []*RGB{NewRGB(1, 200000), NewRGB(200000, 1), NewRGB(1, 1), NewRGB(2, 3)} {
		applied(centre(32), m, nil)
		for seed := range uint64(5) {
			applied(squareCrop(32), m, tensor.NewRand(seed))
			applied(&PadCrop{Pad: 4, Views: []View{{Size: 32, Filter: Bicubic, Norm: Unit}}}, m, tensor.NewRand(seed))
		}
	}
}

func TestPanics(t *testing.T) {
	m := NewRGB(4, 4)
	for name, f := range map[string]func(){
		"box outside":        func() { Resize(m, image.Rect(0, 0, 5, 4), 2, 2, Bicubic) },
		"empty box":          func() { Crop(m, image.Rect(1, 1, 1, 3)) },
		"size 0":             func() { Resize(m, m.Bounds(), 0, 2, Bicubic) },
		"short destination":  func() { ToFloat(make([]float32, 47), m, Unit, false) },
		"wrong destinations": func() { centre(4).Apply(nil, unlabelled(m), nil) },
		"pad beyond image": func() {
			applied(&PadCrop{Pad: 4, Views: []View{{Size: 4, Filter: Bicubic, Norm: Unit}}}, m, tensor.NewRand(1))
		},
		"index outside": func() { Subset(Procedural(10, 32, 1), []int{10}) },
		"batch of 0":    func() { _, _ = NewLoader(Procedural(10, 32, 1), LoaderOptions{Pipeline: squareCrop(32)}) },
		"-1 workers": func() {
			_, _ = NewLoader(Procedural(10, 32, 1), LoaderOptions{Pipeline: squareCrop(32), Batch: 1, Workers: -1})
		},
		"no views": func() { _, _ = NewLoader(Procedural(10, 32, 1), LoaderOptions{Batch: 1, Pipeline: &Eval{}}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// TestPadCrop checks every pixel of every position against padding written out.
func TestPadCrop(t *testing.T) {
	m := noise(6, 6, 3)
	const pad = 4
	mirror := []int{4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 4, 3, 2, 1}
	for top := range 2*pad + 1 {
		for left := range 2*pad + 1 {
			got := padCrop(m, pad, left, top)
			for y := range 6 {
				for x := range 6 {
					want := m.Pix[3*(mirror[top+y]*6+mirror[left+x]):][:3]
					if !cmp.Equal(want, got.Pix[3*(y*6+x):][:3]) {
						t.Fatalf("crop at (%d, %d): pixel (%d, %d) is %v, want %v", left, top, x, y, got.Pix[3*(y*6+x):][:3], want)
					}
				}
			}
		}
	}
}

// TestViewsShareTheCrop: both views of a MIM sample show the same pixels, apart from size and normalisation.
func TestViewsShareTheCrop(t *testing.T) {
	m := noise(40, 30, 4)
	p := pretrainCrop(View{Size: 16, Filter: Bicubic, Norm: ImageNet}, View{Size: 16, Filter: Bicubic, Norm: Unit})
	student, tokenizer := make([]float32, 3*16*16), make([]float32, 3*16*16)
	same, flipped := make([]float32, 3*16*16), 0
	for seed := range uint64(40) {
		p.Apply(Tensors{{Float32: student}, {Float32: tokenizer}}, unlabelled(m), tensor.NewRand(seed))
		for i, v := range tokenizer {
			c := i / 256
			if want := (v - ImageNet.Mean[c]) / ImageNet.Std[c]; student[i] != want {
				t.Fatalf("value %d of the student view is %g, want %g", i, student[i], want)
			}
		}
		p.Apply(Tensors{{Float32: student}, {Float32: same}}, unlabelled(m), tensor.NewRand(seed))
		if !cmp.Equal(tokenizer, same) {
			t.Fatal("the same random numbers gave another image")
		}
		// Without jitter and with the whole image, the view is the image or its mirror image.
		whole := &PadCrop{Pad: 0, Views: []View{{Size: 16, Filter: Bicubic, Norm: Unit}}}
		square := View{Size: 16, Filter: Bicubic}.centre(m, 16, 16).(*RGB)
		whole.Apply(into(same), unlabelled(m), tensor.NewRand(seed))
		plain, mirrored := make([]float32, 3*16*16), make([]float32, 3*16*16)
		ToFloat(plain, square, Unit, false)
		ToFloat(mirrored, Flip(square), Unit, false)
		switch {
		case cmp.Equal(same, mirrored):
			flipped++
		case !cmp.Equal(same, plain):
			t.Fatal("neither the image nor its mirror image")
		}
	}
	if flipped < 8 || flipped > 32 {
		t.Errorf("%d of 40 images were flipped", flipped)
	}
}

func BenchmarkPipeline(b *testing.B) {
	student, tokenizer := View{Size: 224, Filter: Bicubic, Norm: ImageNet}, View{Size: 224, Filter: Bicubic, Norm: Unit}
	small := View{Size: 32, Filter: Bicubic, Norm: Unit}
	for _, c := range []struct {
		name string
		m    *RGB
		p    Pipeline
	}{
		{"mim/from=500x375/to=224", noise(500, 375, 1), pretrainCrop(student, tokenizer)},
		{"vqkd/from=256x340/to=224", noise(256, 340, 1), squareCrop(224)},
		{"eval/from=500x375/to=224", noise(500, 375, 1), centre(224)},
		{"vqkd/from=32x32/to=32", noise(32, 32, 1), squareCrop(32)},
		{"padcrop/from=32x32/to=32", noise(32, 32, 1), &PadCrop{Pad: 4, Views: []View{small}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			dst, s := newTensors(c.p.Outputs(), 1), unlabelled(c.m)
			r := tensor.NewRand(1)
			for b.Loop() {
				c.p.Apply(dst, s, r)
			}
		})
	}
}

// Part says where the pixels of a view come from.
func TestEvalPart(t *testing.T) {
	for _, c := range []struct {
		w, h, size int
		whole      bool
	}{{400, 300, 64, false}, {300, 457, 64, true}, {64, 64, 64, true}, {50, 40, 96, false}} {
		m := NewRGB(c.w, c.h) // red tells the column, green the row
		for p := range c.w * c.h {
			m.Pix[3*p], m.Pix[3*p+1] = uint8(255*(p%c.w)/(c.w-1)), uint8(255*(p/c.w)/(c.h-1))
		}
		eval := &Eval{Whole: c.whole, Views: []View{{Size: c.size, Filter: Bicubic, Norm: Unit}}}
		view := make([]float32, 3*c.size*c.size)
		eval.Apply(into(view), unlabelled(m), nil)
		x, y, dx, dy := eval.Part(c.w, c.h)
		for _, at := range []int{0, c.size / 3, c.size - 1} {
			share := (float64(at) + 0.5) / float64(c.size)
			wantX, wantY := (x+share*dx-0.5)/float64(c.w-1), (y+share*dy-0.5)/float64(c.h-1)
			gotX, gotY := float64(view[at]), float64(view[c.size*c.size+at*c.size])
			if math.Abs(gotX-wantX) > 0.02 || math.Abs(gotY-wantY) > 0.02 {
				t.Errorf("%+v: pixel %d shows (%.3f, %.3f) of the image, Part says (%.3f, %.3f)", c, at, gotX, gotY, wantX, wantY)
			}
		}
	}
}
