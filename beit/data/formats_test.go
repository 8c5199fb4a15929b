package data

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestRegisterFormat(t *testing.T) {
	size := func(content []byte) (w, h int, err error) { return len(content), 2, nil }
	turned := Format{
		Size: size, Decode: func(content []byte) (Image, error) { return NewRGB(len(content), 2), nil },
		Orientation: func([]byte) int { return 6 }, PixelsPerByte: 2,
	}
	RegisterFormat("jxl", turned)
	defer delete(formats, "jxl")
	content := []byte("\xff\x0aimage")
	for _, c := range []struct {
		options []Option
		w       int
	}{{nil, 7}, {[]Option{ExifTranspose()}, 2}} {
		m, err := Decode(content, DefaultLimits, c.options...)
		if err != nil || m.W != c.w {
			t.Errorf("%v, %v, want %d columns", m, err, c.w)
		}
	}
	if _, err := Decode(content, Limits{Pixels: 13, Bytes: 100}); err == nil || !strings.Contains(err.Error(), "decode JPEG XL image: 7x2 pixels: the limit is 13") {
		t.Errorf("error is %v", err)
	}
	for name, register := range map[string]func(){
		"twice":             func() { RegisterFormat("jxl", turned) },
		"of this package":   func() { RegisterFormat("png", turned) },
		"without a name":    func() { RegisterFormat("", turned) },
		"without functions": func() { RegisterFormat("heic", Format{}) },
	} {
		if !panics(register) {
			t.Errorf("%s: registered", name)
		}
	}
}

func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

func FuzzPNG(f *testing.F)    { fuzzFormat(f, "png", "*.png") }
func FuzzGIF(f *testing.F)    { fuzzFormat(f, "gif", "*.gif") }
func FuzzBMP(f *testing.F)    { fuzzFormat(f, "bmp", "*.bmp") }
func FuzzTIFF(f *testing.F)   { fuzzFormat(f, "tiff", "*.tif") }
func FuzzNetpbm(f *testing.F) { fuzzFormat(f, "netpbm", "*.p?m") }
func FuzzWebP(f *testing.F)   { fuzzFormat(f, "webp", "*.webp") }

// fuzzFormat decodes any content by one format: nothing panics, images have the size that the header says, and memory is bounded.
func fuzzFormat(f *testing.F, kind, seeds string) {
	list, err := filepath.Glob("testdata/pillow/" + seeds)
	if err != nil || len(list) == 0 {
		f.Fatalf("no %s: %v", seeds, err)
	}
	for _, name := range list {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(content) < 4096 {
			f.Add(content)
		}
	}
	format := formats[kind]
	limits := Limits{Pixels: 1 << 16}
	f.Fuzz(func(t *testing.T, content []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w, h, err := format.Size(content)
		if err != nil || format.checkSize(w, h, len(content), limits) != nil {
			return
		}
		m, err := format.Decode(content)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(4<<20+64*(len(content)+w*h)) {
			t.Errorf("%d bytes allocated for a file of %d bytes and %dx%d pixels", used, len(content), w, h)
		}
		if err != nil {
			return
		}
		if got := boundsOf(m).Max; got.X != w || got.Y != h {
			t.Errorf("%v, want %dx%d", got, w, h)
		}
		whole(m)
	})
}
