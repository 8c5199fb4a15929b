package data

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// greys is a picture of one row whose channels are v, v and 10.
func greys(v ...uint8) *RGB {
	m := NewRGB(len(v), 1)
	for x, g := range v {
		m.Pix[3*x], m.Pix[3*x+1], m.Pix[3*x+2] = g, g, 10
	}
	return m
}

// red is the first channel.
func red(m *RGB) (v []uint8) {
	for i := 0; i < len(m.Pix); i += 3 {
		v = append(v, m.Pix[i])
	}
	return v
}

// TestImageOps has expectations worked out by hand from the formulas of Pillow's ImageOps.
func TestImageOps(t *testing.T) {
	ramp := greys(0, 3, 50, 127, 128, 200, 255)
	for _, c := range []struct {
		name      string
		got       *RGB
		want      []uint8
		thirdWant uint8 // of the constant channel
	}{
		{"invert", Invert(ramp), []uint8{255, 252, 205, 128, 127, 55, 0}, 245},
		{"posterize 4", Posterize(ramp, 4), []uint8{0, 0, 48, 112, 128, 192, 240}, 0},
		{"posterize 0", Posterize(ramp, 0), []uint8{0, 0, 0, 0, 0, 0, 0}, 0},
		{"posterize 8", Posterize(ramp, 8), red(ramp), 10},
		{"solarise 128", Solarise(ramp, 128), []uint8{0, 3, 50, 127, 127, 55, 0}, 10},
		{"solarise 26", Solarise(ramp, 26), []uint8{0, 3, 205, 128, 127, 55, 0}, 10},
		{"solarise 256", Solarise(ramp, 256), red(ramp), 10},
		{"solarise add 110", SolariseAdd(ramp, 110), []uint8{110, 113, 160, 237, 128, 200, 255}, 120},
		{"solarise add 128", SolariseAdd(ramp, 128), []uint8{128, 131, 178, 255, 128, 200, 255}, 138},
		// 255/(110-50) = 4.25: 50 -> 0, 51 -> 4, 75 -> 106, 109 -> 250, 110 -> 255
		{"auto-contrast", AutoContrast(greys(50, 51, 75, 109, 110)), []uint8{0, 4, 106, 250, 255}, 10},
		{"auto-contrast of one value", AutoContrast(greys(7, 7)), []uint8{7, 7}, 10},
		{"equalize of few pixels", Equalize(ramp), red(ramp), 10}, // (7-1)/255 = 0: left alone
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, red(c.got)); d != "" {
				t.Error(d)
			}
			if got := c.got.Pix[2]; got != c.thirdWant {
				t.Errorf("the constant channel became %d, want %d", got, c.thirdWant)
			}
		})
	}
}

// TestEqualize: 3 values, 300 pixels each. The last one does not count, so the step is 600/255 = 2: the first value has 1/2 = 0 before it,
// the second (1+300)/2 = 150, the third (1+600)/2 = 300, cut to 255.
func TestEqualize(t *testing.T) {
	m := NewRGB(30, 30)
	for i := range m.Pix {
		m.Pix[i] = []uint8{20, 90, 91}[i/900]
	}
	for i := range 900 {
		m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = []uint8{20, 90, 91}[i%3], 5, uint8(i%2)
	}
	got := Equalize(m)
	// the third channel: 450 and 450, step 450/255 = 1, so 0 -> 0 and 1 -> 450, cut to 255
	for i, want := range [][3]uint8{{0, 5, 0}, {150, 5, 255}, {255, 5, 0}} {
		if p := [3]uint8(got.Pix[3*i : 3*i+3]); p != want {
			t.Errorf("pixel %d is %v, want %v", i, p, want)
		}
	}
}

func TestAdjustSharpness(t *testing.T) {
	m := NewRGB(3, 3)
	for i := range m.Pix {
		m.Pix[i] = 100
	}
	m.Pix[3*4] = 230 // the middle pixel's red: smoothed (8*100 + 5*230)/13 = 150
	for _, c := range []struct {
		factor float32
		want   uint8
	}{{1, 230}, {0, 150}, {0.5, 190}, {1.25, 250}, {1.9, 255}} {
		got := AdjustSharpness(m, c.factor)
		if got.Pix[3*4] != c.want || got.Pix[0] != 100 || got.Pix[3*4+1] != 100 {
			t.Errorf("factor %g: middle %v, corner %v, want red %d and the rest as it was", c.factor, got.Pix[12:15], got.Pix[:3], c.want)
		}
	}
}

func TestAffine(t *testing.T) {
	m := noise(9, 7, 3)
	fill := [3]uint8{1, 2, 3}
	at := func(p *RGB, x, y int) [3]uint8 { return [3]uint8(p.row(y, x, x+1)) }
	t.Run("identity", func(t *testing.T) {
		if d := cmp.Diff(m, Affine(m, [6]float64{1, 0, 0, 0, 1, 0}, fill)); d != "" {
			t.Error(d)
		}
	})
	t.Run("whole pixels", func(t *testing.T) {
		got := Affine(m, [6]float64{1, 0, 2, 0, 1, -1}, fill)
		for y := range m.H {
			for x := range m.W {
				want := fill
				if x+2 < m.W && y-1 >= 0 {
					want = at(m, x+2, y-1)
				}
				if at(got, x, y) != want {
					t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, at(got, x, y), want)
				}
			}
		}
	})
	t.Run("half a pixel", func(t *testing.T) { // between two pixels the kernel of a = -1 has the weights -1/8, 5/8, 5/8, -1/8
		got := Affine(m, [6]float64{1, 0, 0.5, 0, 1, 0}, fill)
		for c := range 3 {
			v := func(x int) float64 { return float64(at(m, x, 2)[c]) }
			want := uint8(min(max((-v(2)+5*v(3)+5*v(4)-v(5))/8, 0), 255))
			if got := at(got, 3, 2)[c]; got != want {
				t.Errorf("channel %d is %d, want %d", c, got, want)
			}
		}
	})
	t.Run("a quarter turn", func(t *testing.T) { // of a square, which must not be blurred
		s := noise(8, 8, 4)
		got := Rotate(s, 90, fill)
		for y := range 8 {
			for x := range 8 {
				if at(got, x, y) != at(s, 7-y, x) {
					t.Fatalf("pixel (%d, %d) is %v, want %v: against the clock", x, y, at(got, x, y), at(s, 7-y, x))
				}
			}
		}
	})
	t.Run("a turn by 30 degrees fills the corners", func(t *testing.T) {
		got := Rotate(noise(16, 16, 5), 30, fill)
		if at(got, 0, 0) != fill || at(got, 15, 15) != fill || at(got, 8, 8) == fill {
			t.Errorf("corners %v and %v, middle %v", at(got, 0, 0), at(got, 15, 15), at(got, 8, 8))
		}
	})
}

// TestRandOps checks what each operation does at m9, the recipe's magnitude, against the parameters of timm 0.4.12.
func TestRandOps(t *testing.T) {
	m, fill := noise(20, 10, 6), [3]uint8{9, 9, 9}
	const level = 0.9
	shear := func(x, y float64) *RGB { return Affine(m, [6]float64{1, x, 0, y, 1, 0}, fill) }
	move := func(x, y float64) *RGB { return Affine(m, [6]float64{1, 0, x, 0, 1, y}, fill) }
	for _, c := range []struct {
		name       string
		plus, less *RGB // for a level above and below 0
	}{
		{"AutoContrast", AutoContrast(m), AutoContrast(m)},
		{"Equalize", Equalize(m), Equalize(m)},
		{"Invert", Invert(m), Invert(m)},
		{"Rotate", Rotate(m, 27, fill), Rotate(m, -27, fill)},
		{"Posterize", Posterize(m, 1), Posterize(m, 1)},         // 4 - int(3.6)
		{"Solarize", Solarise(m, 26), Solarise(m, 26)},          // 256 - int(230.4)
		{"SolarizeAdd", SolariseAdd(m, 99), SolariseAdd(m, 99)}, // int(99.0)
		{"Color", AdjustSaturation(m, 1.81), AdjustSaturation(m, 0.19)},
		{"Contrast", AdjustContrast(m, 1.81), AdjustContrast(m, 0.19)},
		{"Brightness", AdjustBrightness(m, 1.81), AdjustBrightness(m, 0.19)},
		{"Sharpness", AdjustSharpness(m, 1.81), AdjustSharpness(m, 0.19)},
		{"ShearX", shear(0.27, 0), shear(-0.27, 0)},
		{"ShearY", shear(0, 0.27), shear(0, -0.27)},
		{"TranslateX", move(8.1, 0), move(-8.1, 0)}, // 0.9 * 0.45 * 20
		{"TranslateY", move(0, 4.05), move(0, -4.05)},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, op := range randOps {
				if op.name != c.name {
					continue
				}
				for sign, want := range map[float64]*RGB{1: c.plus, -1: c.less} {
					if most, _ := difference(op.apply(m, sign*level, fill).Pix, want.Pix); most > 0 {
						t.Errorf("level %g: differs by up to %d", sign*level, most)
					}
				}
				return
			}
			t.Error("there is no such operation")
		})
	}
	if len(randOps) != 15 {
		t.Errorf("%d operations, want 15", len(randOps))
	}
}

// TestRandAugmentRates: two operations, each carried out with probability 1/2, so that a quarter of the pictures stays, beside those that
// AutoContrast or Equalize happen to leave alone.
func TestRandAugmentRates(t *testing.T) {
	m := noise(12, 12, 7)
	m.Pix[0], m.Pix[1], m.Pix[2], m.Pix[3], m.Pix[4], m.Pix[5] = 0, 0, 0, 255, 255, 255 // AutoContrast changes nothing
	a := RandAugment{Magnitude: 9, Ops: 2, Fill: ImageNetFill}
	same := 0
	const n = 4000
	for i := range n {
		if slices.Equal(m.Pix, a.Apply(m, tensor.NewRand(uint64(i))).Pix) {
			same++
		}
	}
	still := 0.5 + 0.5*2/15 // AutoContrast, and Equalize: 144 pixels are too few for it
	want := still * still
	if got := float64(same) / n; math.Abs(got-want) > 0.03 {
		t.Errorf("%.3f of the pictures stay, want about %.3f", got, want)
	}
}
