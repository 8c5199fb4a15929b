package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pixels converts all of m.
func pixels(m *Image) []uint8 {
	w, h := m.Size()
	b := make([]uint8, 3*w*h)
	m.RGB(b, image.Rect(0, 0, w, h))
	return b
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t testing.TB, name string, scale int) *Image {
	t.Helper()
	m, err := Decode(read(t, name), scale)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// pixelsOf reads a PNG file.
func pixelsOf(t testing.TB, name string) (w, h int, pix []uint8) {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(read(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			pix = append(pix, c.R, c.G, c.B)
		}
	}
	return b.Dx(), b.Dy(), pix
}

// TestLikePillow decodes files with what Pillow 9.4 with libjpeg-turbo 2.1 made of them: NAME.jpg.N.png is NAME.jpg at scale N, by draft and
// convert("RGB"). The files are written by Pillow and libjpeg-turbo's cjpeg.
func TestLikePillow(t *testing.T) {
	list, err := filepath.Glob("testdata/*.jpg.?.png")
	if err != nil || len(list) < 60 {
		t.Fatalf("%d files: %v", len(list), err)
	}
	for _, reference := range list {
		name := filepath.Base(reference)
		base := name[:len(name)-len(".1.png")]
		scale := int(name[len(base)+1] - '0')
		w, h, want := pixelsOf(t, name)
		m := decode(t, base, scale)
		if gw, gh := m.Size(); gw != w || gh != h {
			t.Errorf("%s at scale %d: %dx%d, want %dx%d", base, scale, gw, gh, w, h)
			continue
		}
		if got := pixels(m); !bytes.Equal(got, want) {
			t.Errorf("%s at scale %d: %s", base, scale, firstDifference(got, want, w))
		}
	}
}

func firstDifference(got, want []uint8, w int) string {
	for i, v := range got {
		if v != want[i] {
			return fmt.Sprintf("row %d, column %d, channel %d is %d, want %d", i/3/w, i/3%w, i%3, v, want[i])
		}
	}
	return "no difference"
}

// A region has the same pixels as in the whole image.
func TestRegions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"420.jpg", "422.jpg", "440.jpg", "uneven.jpg", "fine-chroma.jpg", "31.jpg", "410.jpg", "420-progressive.jpg", "rgb-420.jpg",
		"cmyk-420.jpg", "ycck.jpg", "gray.jpg", "restart.jpg", "three-scans.jpg"} {
		for _, scale := range []int{1, 2, 4, 8} {
			m := decode(t, name, scale)
			w, h := m.Size()
			whole := pixels(m)
			for range 20 {
				x, y := r.IntN(w), r.IntN(h)
				box := image.Rect(x, y, x+1+r.IntN(w-x), y+1+r.IntN(h-y))
				got := make([]uint8, 3*box.Dx()*box.Dy())
				m.RGB(got, box)
				for i := range box.Dy() {
					line := whole[3*((y+i)*w+x):][:3*box.Dx()]
					if !bytes.Equal(got[3*i*box.Dx():][:3*box.Dx()], line) {
						t.Fatalf("%s at scale %d, %v: row %d differs", name, scale, box, i)
					}
				}
			}
		}
	}
}

func TestReadConfig(t *testing.T) {
	for name, want := range map[string]Config{
		"420.jpg":                 {53, 37, 64*48 + 2*32*24},
		"420-progressive.jpg":     {53, 37, 3*(64*48+2*32*24) + 48 + 24},
		"gray.jpg":                {53, 37, 56 * 40},
		"cmyk-without-adobe.jpg":  {53, 37, 64*48 + 3*32*24},
		"cmyk-progressive.jpg":    {53, 37, 4 * (3*56*40 + 35)},
		"fine-chroma.jpg":         {53, 37, 32*24 + 2*64*48},
		"rgb-422-progressive.jpg": {53, 37, 3*(64*40+2*32*40) + 40 + 40},
	} {
		got, err := ReadConfig(read(t, name), 1)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
}

// The memory of a scaled image is less, but for the coefficients of a progressive one. Chroma of half the resolution keeps it at 1/2 and below.
func TestMemoryOfScales(t *testing.T) {
	large := edited(t, "420.jpg", "\x00\x25\x00\x35", "\x0b\xb8\x0f\xa0") // 4000x3000
	large = append(large, make([]byte, 500*375/8)...)                     // a bit for each block
	for _, c := range []struct {
		name    string
		content []byte
		want    [4]int64 // at 1, 1/2, 1/4 and 1/8
	}{
		{"large", large, [4]int64{6 * 4000 * 3008 / 4, 3 * 2000 * 1504, 3 * 1000 * 752, 3 * 500 * 376}},
		{"gray", read(t, "gray.jpg"), [4]int64{35 * 64, 35 * 16, 35 * 4, 35}},
		{"gray-progressive", read(t, "gray-progressive.jpg"), [4]int64{35 * (129 + 64), 35 * (129 + 16), 35 * (129 + 4), 35 * (129 + 1)}},
	} {
		for i, want := range c.want {
			got, err := ReadConfig(c.content, 1<<i)
			if err != nil || got.Memory != want {
				t.Errorf("%s at scale %d: %d bytes, %v, want %d", c.name, 1<<i, got.Memory, err, want)
			}
		}
	}
}

// What is allocated for an image is what ReadConfig says, at each scale.
func TestMemoryIsWhatIsAllocated(t *testing.T) {
	list, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(list) < 30 {
		t.Fatalf("%d files: %v", len(list), err)
	}
	for _, name := range list {
		content := read(t, filepath.Base(name))
		for _, scale := range []int{1, 2, 4, 8} {
			c, err := ReadConfig(content, scale)
			if err != nil {
				t.Fatal(err)
			}
			d := newDecoder(content)
			if err := d.header(); err != nil {
				t.Fatal(err)
			}
			d.frame.layout(scale)
			d.frame.allocate()
			got := 0
			for _, part := range d.frame.components {
				got += len(part.samples.pix) + 2*len(part.coefs) + len(part.last)
			}
			d.free()
			if int64(got) != c.Memory {
				t.Errorf("%s at scale %d: %d bytes, ReadConfig says %d", name, scale, got, c.Memory)
			}
		}
	}
}

// Arithmetic coding spends next to nothing on blocks of one colour: a file of 215 bytes has 2000x1000 pixels. It is by cjpeg.
func TestFlatArithmetic(t *testing.T) {
	m := decode(t, "flat-arithmetic.jpg", 1)
	if w, h := m.Size(); w != 2000 || h != 1000 {
		t.Fatalf("%dx%d", w, h)
	}
	for i, v := range pixels(m) {
		if want := [3]uint8{89, 120, 200}[i%3]; v != want {
			t.Fatalf("channel %d of pixel %d is %d, want %d", i%3, i/3, v, want)
		}
	}
}

// Huffman coding spends at least a bit on a block.
func TestTooShortForItsSize(t *testing.T) {
	for _, name := range []string{"420.jpg", "420-progressive.jpg", "gray.jpg"} {
		content := edited(t, name, "\x00\x25\x00\x35", "\x03\x20\x03\x20") // 100x100 blocks
		content = append(content, make([]byte, 100*100/8-len(content))...)
		if _, err := ReadConfig(content, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := ReadConfig(content[:len(content)-1], 8)
		if err == nil || err.Error() != "1249 bytes are too few for 800x800 pixels" {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestWrongArgumentsPanic(t *testing.T) {
	m := decode(t, "420.jpg", 1)
	for name, f := range map[string]func(){
		"scale":                  func() { _, _ = Decode(read(t, "420.jpg"), 3) },
		"no scale":               func() { _, _ = Decode(read(t, "420.jpg"), 0) },
		"scale of configuration": func() { _, _ = ReadConfig(read(t, "420.jpg"), 16) },
		"empty box":              func() { m.RGB(make([]uint8, 9), image.Rectangle{}) },
		"negative row":           func() { m.RGB(make([]uint8, 9), image.Rect(0, -1, 1, 2)) },
		"another row":            func() { m.RGB(make([]uint8, 9), image.Rect(0, 36, 1, 38)) },
		"short buffer":           func() { m.RGB(make([]uint8, 8), image.Rect(0, 3, 3, 4)) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "jpeg: ") {
					t.Errorf("%s: panic %q", name, text)
				}
			}()
			f()
		}()
	}
}
