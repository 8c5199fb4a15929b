package data

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// photo is a JPEG file of 500x375 pixels, quality 90, about as large as a photograph of that size: smooth shapes, edges and grain.
func photo(tb testing.TB) []byte {
	m, r := image.NewRGBA(image.Rect(0, 0, 500, 375)), tensor.NewRand(1)
	for y := range 375 {
		for x := range 500 {
			v := 128 + 60*math.Sin(float64(x)/23)*math.Cos(float64(y)/31) + r.Uniform(-7, 7)
			if (x/50+y/40)%3 == 0 {
				v += 50
			}
			m.Set(x, y, color.RGBA{uint8(v), uint8(v*0.8 + float64(x)/12), uint8(200 - v*0.6), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// BenchmarkTraining is what an image costs in training, on one core: decode, random crop to 224, bicubic, normalise.
func BenchmarkTraining(b *testing.B) {
	content := photo(b)
	dst := into(make([]float32, 3*224*224))
	p := &RandomCrop{Scale: [2]float64{0.08, 1}, Views: []View{{Size: 224, Filter: Bicubic, Norm: ImageNet}}}
	b.ReportAllocs()
	seed := uint64(0)
	for b.Loop() {
		m, err := DecodeImage(content, DefaultLimits)
		if err != nil {
			b.Fatal(err)
		}
		seed++
		p.Apply(dst, unlabelled(m), tensor.NewRand(seed))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}

// The parts of BenchmarkTraining.
func BenchmarkParts(b *testing.B) {
	content := photo(b)
	b.Run("decode", func(b *testing.B) {
		b.ReportMetric(float64(len(content)), "file-bytes")
		for b.Loop() {
			if _, err := DecodeImage(content, DefaultLimits); err != nil {
				b.Fatal(err)
			}
		}
	})
	p, err := DecodeImage(content, DefaultLimits)
	if err != nil {
		b.Fatal(err)
	}
	m := whole(p)
	b.Run("convert", func(b *testing.B) {
		for b.Loop() {
			whole(p)
		}
	})
	b.Run("resize", func(b *testing.B) {
		for b.Loop() {
			Resize(m, image.Rect(60, 30, 430, 330), 224, 224, Bicubic)
		}
	})
	out, dst := Resize(m, m.Bounds(), 224, 224, Bicubic), make([]float32, 3*224*224)
	b.Run("normalise", func(b *testing.B) {
		for b.Loop() {
			ToFloat(dst, out, ImageNet, false)
		}
	})
}
