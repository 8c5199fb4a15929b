package data

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/google/go-cmp/cmp"
)

// TestJitterLikePillow compares the changes of all colours whose components are multiples of 5 with Pillow 9.4: ImageEnhance.Brightness, Contrast and
// Color. Hue is compared with torchvision's adjust_hue, which adds int(255*factor) to H of the HSV image. The checksums are of Pillow's bytes.
func TestJitterLikePillow(t *testing.T) {
	m := NewRGB(52, 52*52)
	for i := range 52 * 52 * 52 {
		m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = uint8(5*(i/2704)), uint8(5*(i/52%52)), uint8(5*(i%52))
	}
	for _, c := range []struct {
		op     string
		factor float64
		sha256 string // the first half
	}{
		{"brightness", 0.613, "73f294bdd994bccfd97338df17d4958b"},
		{"brightness", 1, "d81aa4474e18fdf217887a7753b9b4ef"},
		{"brightness", 1.37, "0e2fe4ab6d2d743711f7936bcd6c7cb5"},
		{"contrast", 0.613, "39848e27f362549cc4689b83f496bdb0"},
		{"contrast", 1, "d81aa4474e18fdf217887a7753b9b4ef"},
		{"contrast", 1.37, "353e03db4177ce22f6538db0742a9dcf"},
		{"saturation", 0.613, "8f2f28aa71e7889f2e44788341b26364"},
		{"saturation", 1, "d81aa4474e18fdf217887a7753b9b4ef"},
		{"saturation", 1.37, "555c99ddb2536e5a4394792402ea080a"},
		{"hue", 0.1, "21056dc7cc0f96670a7c4d0b961d94c6"},
		{"hue", -0.23, "6c5b45c8f02de9f578adf1610f64130b"},
		{"hue", 0.5, "ba93ca10e9399fec3b60cd66ba5540ca"},
	} {
		if got := fmt.Sprintf("%x", sha256.Sum256(adjust(t, m, c.op, c.factor).Pix))[:32]; got != c.sha256 {
			t.Errorf("%s by %g: sum %s, want %s", c.op, c.factor, got, c.sha256)
		}
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
		t.Error("jitter of strength 0 changed the image")
	}
}
