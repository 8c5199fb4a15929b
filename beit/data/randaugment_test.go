package data

import (
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

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
		{"Solarize", Solarize(m, 26), Solarize(m, 26)},          // 256 - int(230.4)
		{"SolarizeAdd", SolarizeAdd(m, 99), SolarizeAdd(m, 99)}, // int(99.0)
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

// TestRandAugmentRates: two operations, each carried out with probability 1/2, so that a quarter of the images stays, beside those that
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
		t.Errorf("%.3f of the images stay, want about %.3f", got, want)
	}
}
