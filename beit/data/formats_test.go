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

// Memory is asked for at the size that is decoded, and lent while that is done.
func TestFormatMemory(t *testing.T) {
	var lent int64
	decode := func(_ []byte, n int) (Image, error) {
		lent = decodeMemory.lent()
		return NewRGB(800/n, 400/n), nil
	}
	whole := Format{
		Size: func([]byte) (w, h int, err error) { return 800, 400, nil }, Decode: func(content []byte) (Image, error) { return decode(content, 1) },
		Memory: func(content []byte, n int) int64 { return int64(len(content) + 1000*n) },
	}
	scaled := whole
	scaled.DecodeReduced = decode
	content := []byte("\xff\x0aimage")
	for _, c := range []struct {
		name    string
		format  Format
		short   int
		want    int64
		columns int
	}{{"whole", scaled, 0, 1007, 800}, {"scaled", scaled, 100, 4007, 200}, {"reduced afterwards", whole, 100, 1007, 200}} {
		RegisterFormat("jxl", c.format)
		m, err := Decode(content, DefaultLimits, Reduce(c.short))
		delete(formats, "jxl")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if m.W != c.columns || lent != c.want {
			t.Errorf("%s: %d bytes for %d columns, want %d for %d", c.name, lent, m.W, c.want, c.columns)
		}
	}
}

// The size that an image turns out to have decides by how much it is reduced, where the header's is another one.
func TestReduceByDecodedSize(t *testing.T) {
	RegisterFormat("jxl", Format{
		Size: func([]byte) (w, h int, err error) { return 800, 800, nil }, Decode: func([]byte) (Image, error) { return NewRGB(210, 100), nil },
	})
	defer delete(formats, "jxl")
	for short, want := range map[int]int{100: 210, 50: 105, 25: 53} {
		m, err := Decode([]byte("\xff\x0a"), DefaultLimits, Reduce(short))
		if err != nil {
			t.Errorf("at least %d: %v", short, err)
		} else if m.W != want {
			t.Errorf("at least %d: %d columns, want %d", short, m.W, want)
		}
	}
}

// JPEG files take what their form needs: less where they are scaled, more where they are progressive.
func TestFormatMemoryOfJPEG(t *testing.T) {
	content := photo(t) // 500x375, with chroma of half the resolution
	if got, want := formats["jpeg"].memory(content, 500, 375, 1), int64(512*384*3/2); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	progressive, err := os.ReadFile("jpeg/testdata/cmyk-progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if got, least := formats["jpeg"].memory(progressive, 53, 37, 1), int64(12*53*37); got < least {
		t.Errorf("progressive: %d bytes, want at least %d", got, least)
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
