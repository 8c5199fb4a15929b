package traintest

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// Spoiled is a dataset some of whose images cannot be read.
type Spoiled struct {
	data.Dataset
	Bad func(i int) bool
}

// Name is image-i.
func (s Spoiled) Name(i int) string { return fmt.Sprintf("image-%d", i) }

// Sample fails for the bad images.
func (s Spoiled) Sample(i int) (data.Sample, error) {
	if s.Bad(i) {
		return data.Sample{}, fmt.Errorf("%s: spoiled", s.Name(i))
	}
	return s.Dataset.Sample(i)
}

// Tinted are N noisy images of 16 pixels in four classes: which channel is brighter, if any.
type Tinted struct{ N, Seed int }

// Len is N.
func (p Tinted) Len() int { return p.N }

// Name is the seed and the number.
func (p Tinted) Name(i int) string { return fmt.Sprint(p.Seed, i) }

// Label is the brighter channel.
func (p Tinted) Label(i int) int { return i % 4 }

// Classes are the channels, and grey.
func (p Tinted) Classes() []string { return []string{"red", "green", "blue", "grey"} }

// Sample draws an image.
func (p Tinted) Sample(i int) (data.Sample, error) {
	m, r := data.NewRGB(16, 16), tensor.NewRand(uint64(p.Seed), uint64(i))
	for at := range m.Pix {
		v := r.Uniform(0, 150)
		if at%3 == i%4 {
			v += 30
		}
		m.Pix[at] = uint8(v)
	}
	return data.Sample{Image: m, Label: p.Label(i)}, nil
}

// Pixels are n random numbers in [0, 1).
func Pixels(n int) []float32 {
	out := make([]float32, n)
	r := tensor.NewRand(6)
	for i := range out {
		out[i] = float32(r.Float64())
	}
	return out
}
