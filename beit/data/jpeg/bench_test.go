package jpeg

import (
	"bytes"
	"image"
	"image/color"
	standard "image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
)

// photo is a JPEG file of smooth shapes, edges and grain of the given strength, with chroma at half resolution.
func photo(tb testing.TB, w, h int, grain float64, quality int) []byte {
	m, r := image.NewRGBA(image.Rect(0, 0, w, h)), rand.New(rand.NewPCG(1, 1))
	size := float64(w) / 500
	for y := range h {
		for x := range w {
			fx, fy := float64(x)/size, float64(y)/size
			v := 128 + 60*math.Sin(fx/23)*math.Cos(fy/31) + grain*(2*r.Float64()-1)
			if (int(fx/50)+int(fy/40))%3 == 0 {
				v += 50
			}
			m.SetRGBA(x, y, color.RGBA{uint8(v), uint8(v*0.8 + fx/12), uint8(200 - v*0.6), 255})
		}
	}
	var b bytes.Buffer
	if err := standard.Encode(&b, m, &standard.Options{Quality: quality}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// BenchmarkDecode decodes to RGB. "small" is 500x375 pixels, the others are 12 megapixels.
func BenchmarkDecode(b *testing.B) {
	for _, f := range []struct {
		name    string
		w, h    int
		grain   float64
		quality int
	}{{"small", 500, 375, 7, 90}, {"smooth", 4000, 3000, 5, 84}, {"dense", 4000, 3000, 13, 89}} {
		content := photo(b, f.w, f.h, f.grain, f.quality)
		b.Run(f.name+"/standard", func(b *testing.B) {
			for b.Loop() {
				if _, err := standard.Decode(bytes.NewReader(content)); err != nil {
					b.Fatal(err)
				}
			}
		})
		for _, o := range []struct {
			name  string
			scale int
		}{{"full", 1}, {"half", 2}, {"eighth", 8}} {
			b.Run(f.name+"/"+o.name, func(b *testing.B) { benchmarkDecode(b, content, o.scale) })
		}
	}
}

func benchmarkDecode(b *testing.B, content []byte, scale int) {
	b.SetBytes(int64(len(content)))
	var dst []uint8
	for b.Loop() {
		m, err := Decode(content, scale)
		if err != nil {
			b.Fatal(err)
		}
		w, h := m.Size()
		if dst == nil {
			dst = make([]uint8, 3*w*h)
		}
		m.RGB(dst, image.Rect(0, 0, w, h))
	}
}
