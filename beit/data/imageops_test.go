package data

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// greys is an image of one row whose channels are v, v and 10.
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

// TestImageOps has expected values computed by hand from the formulas of Pillow's ImageOps.
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
		{"solarise 128", Solarize(ramp, 128), []uint8{0, 3, 50, 127, 127, 55, 0}, 10},
		{"solarise 26", Solarize(ramp, 26), []uint8{0, 3, 205, 128, 127, 55, 0}, 10},
		{"solarise 256", Solarize(ramp, 256), red(ramp), 10},
		{"solarise add 110", SolarizeAdd(ramp, 110), []uint8{110, 113, 160, 237, 128, 200, 255}, 120},
		{"solarise add 128", SolarizeAdd(ramp, 128), []uint8{128, 131, 178, 255, 128, 200, 255}, 138},
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

// TestEqualize has 3 values, 300 pixels each. The last one does not count, so the step is 600/255 = 2. The values become 1/2 = 0,
// (1+300)/2 = 150, and (1+600)/2 = 300, cut to 255.
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

// TestBlur compares with the plain double sum in float64.
func TestBlur(t *testing.T) {
	m := noise(13, 9, 4)
	for _, deviation := range []float64{0.2, 0.6, 1.7, 5} {
		got := Blur(m, deviation)
		reach := int(math.Ceil(3 * deviation))
		for y := range m.H {
			for x := range m.W {
				for c := range 3 {
					sum, weights := 0.0, 0.0
					for dy := -reach; dy <= reach; dy++ {
						for dx := -reach; dx <= reach; dx++ {
							w := math.Exp(-float64(dx*dx+dy*dy) / (2 * deviation * deviation))
							px, py := min(max(x+dx, 0), m.W-1), min(max(y+dy, 0), m.H-1)
							sum += w * float64(m.Pix[3*(py*m.W+px)+c])
							weights += w
						}
					}
					if v := float64(got.Pix[3*(y*m.W+x)+c]); math.Abs(v-sum/weights) > 0.501 {
						t.Fatalf("deviation %g at (%d, %d): %g, want %g", deviation, x, y, v, sum/weights)
					}
				}
			}
		}
	}
	if Blur(m, 0) != m {
		t.Error("no deviation, but another image")
	}
}

func TestSolarize(t *testing.T) {
	m := NewRGB(1, 1)
	copy(m.Pix, []uint8{127, 128, 255})
	if got := Solarize(m, 128).Pix; !slices.Equal(got, []uint8{127, 127, 0}) {
		t.Errorf("%v, want 127 127 0", got)
	}
}
