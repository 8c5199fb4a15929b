package masks

import (
	"image"
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// noise is an image of random pixels.
func noise(w, h int, r *tensor.Rand) *data.RGB {
	m := data.NewRGB(w, h)
	for i := range m.Pix {
		m.Pix[i] = uint8(r.IntN(256))
	}
	return m
}

// bilinear is a resize in float64.
func bilinear(m *data.RGB, w, h, x, y, c int) float64 {
	at := func(i, in, n int) (int, int, float64) {
		v := min(max((float64(i)+0.5)*float64(in)/float64(n)-0.5, 0), float64(in-1))
		first := int(v)
		return first, min(first+1, in-1), v - float64(first)
	}
	x0, x1, fx := at(x, m.W, w)
	y0, y1, fy := at(y, m.H, h)
	px := func(x, y int) float64 { return float64(m.Pix[3*(y*m.W+x)+c]) }
	return (px(x0, y0)*(1-fx)+px(x1, y0)*fx)*(1-fy) + (px(x0, y1)*(1-fx)+px(x1, y1)*fx)*fy
}

func TestResize(t *testing.T) {
	r := tensor.NewRand(1)
	for _, size := range [][4]int{{7, 5, 13, 9}, {13, 9, 7, 5}, {1, 1, 3, 2}, {40, 3, 9, 11}, {6, 6, 6, 6}} {
		m := noise(size[0], size[1], r)
		w, h := size[2], size[3]
		box := image.Rect(0, 0, w, h)
		got := Resize(m, w, h, box)
		for y := range h {
			for x := range w {
				for c := range 3 {
					v, want := float64(got.Pix[3*(y*w+x)+c]), bilinear(m, w, h, x, y, c)
					if math.Abs(v-want) > 0.5+255.0/(1<<weightBits) {
						t.Fatalf("%v: pixel %d, %d, channel %d is %v, want %v", size, x, y, c, v, want)
					}
				}
			}
		}
		part := image.Rect(w/3, h/3, w, h)
		if cut := Resize(m, w, h, part); !slices.Equal(cut.Pix, data.Crop(got, part).Pix) {
			t.Errorf("%v: the part %v differs from the whole", size, part)
		}
	}
}

func TestResizeMask(t *testing.T) {
	m := &data.Mask{W: 5, H: 2, Class: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}
	// ⌊x·5/3⌋ is 0, 1, 3; ⌊y·2/3⌋ is 0, 0, 1.
	if got, want := ResizeMask(m, 3, 3).Class, []uint8{0, 1, 3, 0, 1, 3, 5, 6, 8}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := ResizeMask(m, 5, 2).Class; !slices.Equal(got, m.Class) {
		t.Errorf("the same size gives %v", got)
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		w, h  int
		scale float64
		want  [2]int
	}{
		{683, 512, 1, [2]int{683, 512}},
		{512, 683, 1, [2]int{512, 683}},
		{480, 360, 1, [2]int{683, 512}},       // 480·512/360 = 682.67
		{480, 360, 0.5, [2]int{341, 256}},     // 341.33
		{5000, 500, 1, [2]int{2048, 205}},     // the longer side decides: 204.8
		{100, 100, 1.999, [2]int{1023, 1023}}, // int(1023.488)
		{1 << 20, 1, 1, [2]int{2048, 1}},
	} {
		w, h := Fit(c.w, c.h, scaled(2048, 512, c.scale))
		if w != c.want[0] || h != c.want[1] {
			t.Errorf("%dx%d at %v: %dx%d, want %v", c.w, c.h, c.scale, w, h, c.want)
		}
	}
}

// quarters is an image of four colours and its mask, in which each colour is a class.
func quarters(w, h int) (*data.RGB, *data.Mask) {
	colours := [4][3]uint8{{200, 0, 0}, {0, 200, 0}, {0, 0, 200}, {200, 200, 200}}
	m, mask := data.NewRGB(w, h), &data.Mask{W: w, H: h, Class: make([]uint8, w*h)}
	for y := range h {
		for x := range w {
			class := 2*(2*y/h) + 2*x/w
			mask.Class[y*w+x] = uint8(class)
			copy(m.Pix[3*(y*w+x):], colours[class][:])
		}
	}
	return m, mask
}

func apply(t *Train, s data.Sample, seed uint64) (pixels []float32, classes []int32) {
	fields := t.Outputs()
	h, w := t.sides()
	dst := data.Tensors{{Float32: make([]float32, 3*h*w)}, {Int32: make([]int32, h*w)}}
	if fields[0].DType != tensor.Float32 || fields[1].DType != tensor.Int32 {
		panic("wrong types")
	}
	t.Apply(dst, s, tensor.NewRand(seed))
	return dst[0].Float32, dst[1].Int32
}

// TestTrainMovesBoth looks at every pixel of many crops: its colour must be that of its class, but along the edges between classes.
func TestTrainMovesBoth(t *testing.T) {
	m, mask := quarters(90, 61)
	p := NewTrain(48, data.Unit)
	p.Distort = false
	flips, padded := 0, 0
	for seed := range uint64(60) {
		pixels, classes := apply(p, data.Sample{Image: m, Label: -1, Mask: mask}, seed)
		wrong, n := 0, p.Size*p.Size
		for i, class := range classes {
			rgb := [3]float32{pixels[i], pixels[n+i], pixels[2*n+i]}
			if class == data.NoClass {
				padded++
				if rgb != [3]float32{} {
					t.Fatalf("seed %d: padding of %v", seed, rgb)
				}
				continue
			}
			const on = 200.0 / 255
			want := [4][3]float32{{on}, {0, on}, {0, 0, on}, {on, on, on}}[class]
			if rgb != want {
				wrong++
			}
		}
		if wrong > 6*p.Size { // two edges, three pixels wide
			t.Errorf("seed %d: %d of %d pixels do not have the colour of their class", seed, wrong, n)
		}
		if first := classes[0]; first == 1 || first == 3 {
			flips++
		}
	}
	if flips == 0 || padded == 0 {
		t.Errorf("%d crops begin in the right half, %d pixels are padding: both must happen", flips, padded)
	}
}

// TestTrainOfBands gives the pipeline the same image as RGB and as three channels: draws and masks are equal, and values but for rounding to whole levels.
// The crop is oblong.
func TestTrainOfBands(t *testing.T) {
	rgb, mask := quarters(90, 61)
	rgb = data.Blur(rgb, 3)
	raster, err := data.RasterFrom(rgb, 3, data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	p := NewTrain(32, data.ImageNet)
	p.Distort, p.Width = false, 56
	q := *p
	q.Bands = data.BandsOf(data.ImageNet, 3)
	if shape := q.Outputs()[0].Shape; !slices.Equal(shape, []int{3, 32, 56}) {
		t.Fatalf("shape %v", shape)
	}
	for seed := range uint64(30) {
		a, b := apply(p, data.Sample{Image: rgb, Mask: mask}, seed)
		c, d := apply(&q, data.Sample{Image: raster, Mask: mask}, seed)
		if !slices.Equal(b, d) {
			t.Fatalf("seed %d: other masks", seed)
		}
		for i := range a {
			if math.Abs(float64(a[i]-c[i])) > 0.6/255/0.224 {
				t.Fatalf("seed %d: value %d is %g, want %g", seed, i, c[i], a[i])
			}
		}
	}
	q.Distort = true
	defer func() {
		if recover() == nil {
			t.Error("bands are distorted")
		}
	}()
	q.Outputs()
}

func TestTrainIsRepeatable(t *testing.T) {
	r := tensor.NewRand(5)
	_, mask := quarters(70, 50)
	s := data.Sample{Image: noise(70, 50, r), Label: -1, Mask: mask}
	p := NewTrain(32, data.ImageNet)
	a, b := apply(p, s, 7)
	c, d := apply(p, s, 7)
	if !slices.Equal(a, c) || !slices.Equal(b, d) {
		t.Error("the same seed gives other values")
	}
	e, _ := apply(p, s, 8)
	if slices.Equal(a, e) {
		t.Error("another seed gives the same values")
	}
}

func TestMixed(t *testing.T) {
	all := image.Rect(0, 0, 4, 2)
	for _, c := range []struct {
		class []uint8
		want  bool
	}{
		{[]uint8{0, 0, 0, 0, 0, 0, 0, 0}, false},
		{[]uint8{0, 0, 0, 0, 0, 0, 1, 1}, false},                 // exactly 3/4
		{[]uint8{0, 0, 0, 0, 0, 1, 1, 1}, true},                  // 5/8
		{[]uint8{0, 0, 0, 1, 255, 255, 255, 255}, false},         // 3/4 of those that count
		{[]uint8{0, 255, 255, 255, 255, 255, 255, 255}, false},   // one class alone
		{[]uint8{255, 255, 255, 255, 255, 255, 255, 255}, false}, // none
		{[]uint8{0, 1, 255, 255, 255, 255, 255, 255}, true},
	} {
		if got := mixed(&data.Mask{W: 4, H: 2, Class: c.class}, all, 0.75); got != c.want {
			t.Errorf("%v: %v, want %v", c.class, got, c.want)
		}
	}
}

// TestCropAvoidsOneClass uses a mask whose right edge alone has a second class: boxes that see only the first class are drawn again.
func TestCropAvoidsOneClass(t *testing.T) {
	mask := &data.Mask{W: 64, H: 16, Class: make([]uint8, 64*16)}
	for i := range mask.Class {
		if i%64 >= 32 {
			mask.Class[i] = uint8(i % 2)
		}
	}
	p := NewTrain(16, data.Unit)
	right := func(p *Train) (n int) {
		for seed := range uint64(200) {
			if box := p.box(mask, tensor.NewRand(seed)); mixed(mask, box, 0.75) {
				n++
			}
		}
		return n
	}
	with := right(p)
	p.MaxShare = 0
	if without := right(p); with < 198 || without > 150 {
		t.Errorf("%d of 200 crops have two classes, and %d where any crop is taken", with, without)
	}
}

// TestHSV compares with values of OpenCV's conversion by its documented formulas.
func TestHSV(t *testing.T) {
	for _, c := range []struct{ rgb, hsv [3]uint8 }{
		{[3]uint8{255, 0, 0}, [3]uint8{0, 255, 255}},
		{[3]uint8{0, 255, 0}, [3]uint8{60, 255, 255}},
		{[3]uint8{0, 0, 255}, [3]uint8{120, 255, 255}},
		{[3]uint8{255, 0, 255}, [3]uint8{150, 255, 255}},
		{[3]uint8{10, 10, 10}, [3]uint8{0, 0, 10}},
		{[3]uint8{100, 50, 25}, [3]uint8{10, 191, 100}}, // 30·25/75 = 10; 255·75/100 = 191.25
		{[3]uint8{200, 10, 12}, [3]uint8{0, 242, 200}},  // -30·2/190 = -0.3
	} {
		h, s, v := toHSV(c.rgb[0], c.rgb[1], c.rgb[2])
		if got := [3]uint8{h, s, v}; got != c.hsv {
			t.Errorf("%v: %v, want %v", c.rgb, got, c.hsv)
		}
	}
	r := tensor.NewRand(3)
	for range 20000 {
		a := [3]uint8{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256))}
		h, s, v := toHSV(a[0], a[1], a[2])
		if h >= hues {
			t.Fatalf("hue %d of %v", h, a)
		}
		x, y, z := fromHSV(h, s, v)
		for c, got := range [3]uint8{x, y, z} { // half a step of hue is 1/60 of the spread, of saturation half a level
			if d := math.Abs(float64(got) - float64(a[c])); d > 255.0/60+1 {
				t.Fatalf("%v becomes %d %d %d", a, x, y, z)
			}
		}
	}
}

// TestDistort follows the draws of a seed and computes each step in float64.
func TestDistort(t *testing.T) {
	kinds := map[string]int{}
	for seed := range uint64(64) {
		m := noise(9, 7, tensor.NewRand(seed, 1))
		want := slices.Clone(m.Pix)
		r := tensor.NewRand(seed, 2)
		coin := func(kind string) bool {
			on := r.Uint32()&1 == 1
			if on {
				kinds[kind]++
			}
			return on
		}
		linear := func(factor, add float64) {
			for i, v := range want {
				want[i] = uint8(min(max(float64(v)*factor+add, 0), 255))
			}
		}
		if coin("brightness") {
			linear(1, r.Uniform(-32, 32))
		}
		early := coin("early")
		if early && coin("contrast") {
			linear(r.Uniform(0.5, 1.5), 0)
		}
		saturation, turn := 1.0, 0
		if coin("saturation") {
			saturation = r.Uniform(0.5, 1.5)
			recolour(want, saturation, 0)
		}
		if coin("hue") {
			turn = r.IntN(36) - 18
			recolour(want, 1, turn)
		}
		if !early && coin("contrast") {
			linear(r.Uniform(0.5, 1.5), 0)
		}
		distort(m, tensor.NewRand(seed, 2))
		for i, v := range m.Pix {
			if d := int(v) - int(want[i]); d < -1 || d > 1 { // float32 may cut off one level more
				t.Fatalf("seed %d: value %d is %d, want %d", seed, i, v, want[i])
			}
		}
	}
	for _, kind := range []string{"brightness", "early", "contrast", "saturation", "hue"} {
		if n := kinds[kind]; n < 16 || n > 48 {
			t.Errorf("%s in %d of 64 images", kind, n)
		}
	}
}

// recolour scales the saturation and turns the hue.
func recolour(pix []uint8, saturation float64, turn int) {
	for i := 0; i < len(pix); i += 3 {
		h, s, v := toHSV(pix[i], pix[i+1], pix[i+2])
		h = uint8(((int(h)+turn)%180 + 180) % 180)
		s = uint8(min(float64(s)*saturation, 255))
		pix[i], pix[i+1], pix[i+2] = fromHSV(h, s, v)
	}
}

func TestTrainWithoutMask(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	apply(NewTrain(8, data.Unit), data.Sample{Image: data.NewRGB(9, 9)}, 1)
}
