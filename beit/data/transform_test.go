package data

import (
	"image"
	"math"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/google/go-cmp/cmp"
)

// noise is a picture of random pixels.
func noise(w, h int, seed uint64) *RGB {
	m := NewRGB(w, h)
	r := tensor.NewRand(seed)
	for i := range m.Pix {
		m.Pix[i] = uint8(r.Uint32())
	}
	return m
}

// resizeReference is one channel value of a resize, in float64 and without the rounding between passes.
func resizeReference(m *RGB, box image.Rectangle, w, h int, f Filter, x, y, c int) float64 {
	wx, fromX := referenceWeights(box.Dx(), w, x, f)
	wy, fromY := referenceWeights(box.Dy(), h, y, f)
	sum := 0.0
	for j, b := range wy {
		for i, a := range wx {
			sum += a * b * float64(m.Pix[3*((box.Min.Y+fromY+j)*m.W+box.Min.X+fromX+i)+c])
		}
	}
	return min(max(sum, 0), 255)
}

func referenceWeights(in, out, i int, f Filter) (weights []float64, from int) {
	scale := float64(in) / float64(out)
	shrink := math.Max(scale, 1)
	centre := (float64(i)+0.5)*scale - 0.5
	from = -1
	sum := 0.0
	for x := range in {
		if w := filters[f].f((float64(x) - centre) / shrink); math.Abs(float64(x)-centre) < filters[f].support*shrink {
			if from < 0 {
				from = x
			}
			weights = append(weights, w)
			sum += w
		}
	}
	for k := range weights {
		weights[k] /= sum
	}
	return weights, from
}

func TestResizeAgainstFloat64(t *testing.T) {
	m := noise(23, 19, 1)
	for _, f := range []Filter{Bilinear, Bicubic, Lanczos} {
		for _, c := range []struct {
			box  image.Rectangle
			w, h int
		}{
			{m.Bounds(), 7, 5}, {m.Bounds(), 40, 31}, {m.Bounds(), 1, 1}, {m.Bounds(), 23, 5}, {m.Bounds(), 7, 19},
			{image.Rect(3, 4, 20, 15), 9, 16}, {image.Rect(5, 5, 6, 6), 4, 4}, {image.Rect(0, 18, 23, 19), 8, 3},
		} {
			got := Resize(m, c.box, c.w, c.h, f)
			for y := range c.h {
				for x := range c.w {
					for ch := range 3 {
						want := resizeReference(m, c.box, c.w, c.h, f, x, y, ch)
						// The rounding between the passes (half a level, times the sum of |weights| up to 1.5), the final
						// one, and the clamping of the first pass at black and white for filters that overshoot.
						bound := 1.3
						if f != Bilinear {
							bound = 40
						}
						if d := math.Abs(float64(got.Pix[3*(y*c.w+x)+ch]) - want); d > bound {
							t.Fatalf("%v %v to %dx%d: (%d, %d, %d) is %d, want %g", f, c.box, c.w, c.h, x, y, ch, got.Pix[3*(y*c.w+x)+ch], want)
						}
					}
				}
			}
		}
	}
}

// TestResizeWindow: a window of a resize is the crop of the whole one.
func TestResizeWindow(t *testing.T) {
	m := noise(50, 37, 2)
	for _, f := range []Filter{Bilinear, Bicubic, Lanczos} {
		for _, size := range []image.Point{{20, 15}, {50, 15}, {20, 37}, {50, 37}, {90, 80}} {
			window := image.Rect(3, 5, 14, 13)
			want := Crop(Resize(m, m.Bounds(), size.X, size.Y, f), window)
			if got := resizeWindow(m, m.Bounds(), size.X, size.Y, f, window); !cmp.Equal(want, got) {
				t.Errorf("%v to %v: the window differs from the crop", f, size)
			}
		}
	}
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

// TestLargePictures: what 32 bits cannot hold, as an int has on some machines.
func TestLargePictures(t *testing.T) {
	if w, h := shorterSide(6, 10<<20, 224); w != 224 || h != 391468373 {
		t.Errorf("sides of %d and %d", w, h)
	}
	m := NewRGB(4000, 3000)
	for i := range m.Pix {
		m.Pix[i] = 200
	}
	if got := AdjustContrast(m, 0).Pix[0]; got != 200 {
		t.Errorf("without contrast the picture is %d", got)
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
		"pad beyond picture": func() {
			applied(&PadCrop{Pad: 4, Views: []View{{Size: 4, Filter: Bicubic, Norm: Unit}}}, m, tensor.NewRand(1))
		},
		"index outside": func() { Subset(Procedural(10, 32, 1), []int{10}) },
		"batch of 0":    func() { _, _ = NewLoader(Procedural(10, 32, 1), LoaderOptions{Pipeline: squareCrop(32)}) },
		"no views":      func() { _, _ = NewLoader(Procedural(10, 32, 1), LoaderOptions{Batch: 1, Pipeline: &Eval{}}) },
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
			got := padCrop(m, pad, left, top, 6)
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
			t.Fatal("the same random numbers gave another picture")
		}
		// Without jitter and with the whole picture, the view is the picture or its mirror image.
		whole := &PadCrop{Pad: 0, Views: []View{{Size: 16, Filter: Bicubic, Norm: Unit}}}
		square := resizeCentre(m, 16, 16, Bicubic)
		whole.Apply(into(same), unlabelled(m), tensor.NewRand(seed))
		plain, mirrored := make([]float32, 3*16*16), make([]float32, 3*16*16)
		ToFloat(plain, square, Unit, false)
		ToFloat(mirrored, Flip(square), Unit, false)
		switch {
		case cmp.Equal(same, mirrored):
			flipped++
		case !cmp.Equal(same, plain):
			t.Fatal("neither the picture nor its mirror image")
		}
	}
	if flipped < 8 || flipped > 32 {
		t.Errorf("%d of 40 pictures were flipped", flipped)
	}
}

// TestJitter: factors stay in range and all orders of the three changes occur.
func TestJitter(t *testing.T) {
	grey := NewRGB(2, 2)
	for i := range grey.Pix {
		grey.Pix[i] = 100
	}
	low, high := 255, 0
	for seed := range uint64(300) {
		out := jitter(grey, 0.4, tensor.NewRand(seed))
		low, high = min(low, int(out.Pix[0])), max(high, int(out.Pix[0]))
	}
	if low < 60 || low > 63 || high < 137 || high > 140 {
		t.Errorf("brightness went from %d to %d, want about 60 to 140", low, high)
	}
	colour := noise(5, 5, 1)
	seen := map[string]bool{}
	for seed := range uint64(60) {
		seen[string(jitter(colour, 0.4, tensor.NewRand(seed)).Pix)] = true
	}
	if len(seen) != 60 {
		t.Errorf("%d different results of 60", len(seen))
	}
	if out := jitter(colour, 0, tensor.NewRand(1)); !cmp.Equal(out, colour) {
		t.Error("jitter of strength 0 changed the picture")
	}
}

func TestParseFilter(t *testing.T) {
	for _, f := range []Filter{Bilinear, Bicubic, Lanczos} {
		if got, err := ParseFilter(f.String()); err != nil || got != f {
			t.Errorf("ParseFilter(%q) = %v, %v", f, got, err)
		}
	}
	if _, err := ParseFilter("nearest"); err == nil {
		t.Error("nearest was accepted")
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
