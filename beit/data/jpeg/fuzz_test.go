package jpeg

import (
	"bytes"
	"image"
	standard "image/jpeg"
	"path/filepath"
	"testing"
)

func addAll(f *testing.F) {
	list, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(list) == 0 {
		f.Fatalf("%d files: %v", len(list), err)
	}
	for _, name := range list {
		f.Add(read(f, filepath.Base(name)))
	}
}

func FuzzDecode(f *testing.F) {
	addAll(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		const limit = 1 << 20
		c, err := ReadConfig(content, 1)
		if err != nil {
			if _, err := Decode(content, 1); err == nil {
				t.Fatal("a file whose header cannot be read was decoded")
			}
			return
		}
		for _, scale := range []int{1, 2, 4, 8} {
			if c, err := ReadConfig(content, scale); err != nil || c.Memory > limit {
				continue
			}
			m, err := Decode(content, scale)
			if err != nil {
				continue
			}
			w, h := m.Size()
			if w != ceilDiv(c.Width, scale) || h != ceilDiv(c.Height, scale) {
				t.Fatalf("%dx%d at scale %d of %dx%d", w, h, scale, c.Width, c.Height)
			}
			row := make([]uint8, 3*w)
			m.RGB(row, image.Rect(0, h/3, w, h/3+1))
			if !bytes.Equal(row, pixels(m)[3*w*(h/3):][:3*w]) {
				t.Fatalf("row %d alone differs", h/3)
			}
		}
	})
}

// FuzzAgainstStandard compares luma with that of image/jpeg, whose inverse DCT rounds otherwise, for images that its encoder wrote.
func FuzzAgainstStandard(f *testing.F) {
	f.Add([]byte("some bytes that are the colours of an image, over and over again"), uint8(37), uint8(29), uint8(90))
	f.Add([]byte{0, 255}, uint8(64), uint8(48), uint8(100))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 255, 255, 255}, uint8(17), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, colours []byte, w, h, quality uint8) {
		if len(colours) == 0 {
			return
		}
		size := image.Rect(0, 0, 1+int(w), 1+int(h))
		gray, full := image.NewGray(size), image.NewRGBA(size)
		for i := range gray.Pix {
			gray.Pix[i] = colours[i%len(colours)]
		}
		for i := range full.Pix {
			full.Pix[i] = colours[i%len(colours)] | uint8(-(i % 4 / 3)) // alpha is 255
		}
		for _, m := range []image.Image{gray, full} {
			var file bytes.Buffer
			if err := standard.Encode(&file, m, &standard.Options{Quality: int(quality)}); err != nil {
				t.Fatal(err)
			}
			compareLuma(t, file.Bytes())
		}
	})
}

// TestAgainstStandard does the same with files of testdata that image/jpeg reads.
func TestAgainstStandard(t *testing.T) {
	for _, name := range []string{"420.jpg", "422.jpg", "440.jpg", "444.jpg", "411.jpg", "gray.jpg", "gray-progressive.jpg", "420-progressive.jpg",
		"restart.jpg", "optimized.jpg", "rough.jpg", "three-scans.jpg", "wide-steps.jpg"} {
		t.Run(name, func(t *testing.T) { compareLuma(t, read(t, name)) })
	}
}

func compareLuma(t *testing.T, content []byte) {
	t.Helper()
	decoded, err := standard.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Decode(content, 1)
	if err != nil {
		t.Fatal(err)
	}
	var luma []uint8
	var stride int
	switch s := decoded.(type) {
	case *image.Gray:
		luma, stride = s.Pix, s.Stride
	case *image.YCbCr:
		luma, stride = s.Y, s.YStride
	default:
		t.Fatalf("image/jpeg has a %T", decoded)
	}
	w, h := m.Size()
	for y := range h {
		for x, v := range m.planes[0].row(y, 0, w) {
			if d := int(v) - int(luma[y*stride+x]); d < -2 || d > 2 {
				t.Fatalf("row %d, column %d: %d, image/jpeg has %d", y, x, v, luma[y*stride+x])
			}
		}
	}
}
