package data

import (
	"bytes"
	"math"
	"testing"
)

// FromFloat gives back every value of every channel, by each of the usual normalisations, and cuts off others.
func TestFromFloat(t *testing.T) {
	m := NewRGB(256, 2)
	for i := range m.Pix {
		m.Pix[i] = uint8(i / 3)
	}
	values := make([]float32, len(m.Pix))
	for _, n := range []Norm{Unit, Inception, ImageNet} {
		ToFloat(values, m, n, false)
		if got := FromFloat(values, m.W, m.H, n); got.W != m.W || got.H != m.H || !bytes.Equal(got.Pix, m.Pix) {
			t.Errorf("%v: another image came back", n)
		}
	}
	out := FromFloat([]float32{-1, 2, float32(math.Inf(1))}, 1, 1, Unit)
	if !bytes.Equal(out.Pix, []uint8{0, 255, 255}) {
		t.Errorf("values outside [0, 1] give %v", out.Pix)
	}
}
