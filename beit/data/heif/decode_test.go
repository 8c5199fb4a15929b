package heif

import (
	"bytes"
	"errors"
	"image"
	_ "image/png" // registers the format
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
)

// The files of testdata show upright.png. Debian 12's heif-enc (quality 85) and avifenc (quantizers 8 to 14) made them, but for the properties irot and imir
// of the HEIC files, which were added to the boxes. exif6 was made of a JPEG file with that orientation: avifenc turns it into irot, heif-enc does not.

// tolerances are the largest mean difference of a channel. Chroma of the HEIC files has half the columns and rows.
const (
	heicTolerance = 1
	avifTolerance = 1
)

func TestTurned(t *testing.T) {
	upright := readUpright(t)
	for name, turned := range map[string]turn{
		"plain": rotations[0], "alpha": rotations[0], "irot1": rotations[1], "irot2": rotations[2], "irot3": rotations[3], "imir0": mirrors[0], "imir1": mirrors[1],
		"irot1imir0": {{0, 1}, {1, 0}}, "irot3imir1": {{0, 1}, {1, 0}}, "chroma444": rotations[0], "chroma420": rotations[0], "depth10": rotations[0],
		"exif6": rotations[3], "exif6irot3": rotations[3],
	} {
		want := turned.show(upright)
		if content, err := os.ReadFile(filepath.Join("testdata", name+".avif")); err == nil {
			m, err := DecodeAVIF(content, data.DefaultLimits)
			check(t, name+".avif", m, err, want, avifTolerance)
		}
		if content, err := os.ReadFile(filepath.Join("testdata", name+".heic")); err == nil {
			if name == "exif6" {
				want = upright
			}
			m, err := DecodeHEIC(content, data.DefaultLimits)
			check(t, name+".heic", m, err, want, heicTolerance)
		}
	}
}

// Images without colour, and of odd sizes in a grid of coding blocks.
func TestKinds(t *testing.T) {
	upright := readUpright(t)
	grey := data.NewRGB(upright.W, upright.H)
	for i := range upright.W * upright.H {
		p := upright.Pix[3*i:]
		luma := (299*int(p[0]) + 587*int(p[1]) + 114*int(p[2]) + 500) / 1000
		for k := range 3 {
			grey.Pix[3*i+k] = byte(luma)
		}
	}
	m, err := DecodeAVIF(read(t, "grey.avif"), data.DefaultLimits)
	check(t, "grey.avif", m, err, grey, avifTolerance)
	m, err = DecodeHEIC(read(t, "grey.heic"), data.DefaultLimits)
	check(t, "grey.heic", m, err, grey, heicTolerance)
	small := data.Resize(upright, upright.Bounds(), 47, 33, data.Bicubic)
	m, err = DecodeHEIC(read(t, "odd.heic"), data.DefaultLimits)
	check(t, "odd.heic", m, err, small, 4)
}

// Wherever a file is cut, that is an error.
func TestCut(t *testing.T) {
	for _, name := range []string{"plain.avif", "plain.heic", "odd.heic"} {
		content := read(t, name)
		for n := range content {
			if _, err := decoderOf(name)(content[:n], data.DefaultLimits); err == nil {
				t.Errorf("%s: the first %d of %d bytes are decoded", name, n, len(content))
			}
		}
		if _, err := decoderOf(name)(content[:len(content)-1], data.DefaultLimits); !errors.Is(err, errCut) {
			t.Errorf("%s without its last byte: %v", name, err)
		}
	}
}

// Coded data of zeros are an error too: the libraries do not say so by themselves.
func TestEmptyData(t *testing.T) {
	for _, name := range []string{"plain.avif", "plain.heic"} {
		content := bytes.Clone(read(t, name))
		at := bytes.Index(content, []byte("mdat"))
		clear(content[at+4:])
		if _, err := decoderOf(name)(content, data.DefaultLimits); !errors.Is(err, errRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A decoder that fails says so in one line: with its tables overwritten libavif ends in a trap.
func TestDecoderFails(t *testing.T) {
	content := bytes.Clone(read(t, "plain.avif"))
	for at := bytes.Index(content, []byte("mdat")) + 20; at < len(content); at++ {
		damaged := bytes.Clone(content)
		damaged[at] ^= 0x55
		if _, err := DecodeAVIF(damaged, data.DefaultLimits); err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("byte %d: %q", at, err)
		}
	}
}

// The size in the boxes is looked at before anything else.
func TestLimits(t *testing.T) {
	for _, name := range []string{"plain.avif", "plain.heic"} {
		if _, err := decoderOf(name)(read(t, name), data.Limits{Pixels: 96*64 - 1, Bytes: 1 << 20}); err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("%s: %v", name, err)
		}
		huge := bytes.Clone(read(t, name))
		copy(huge[bytes.Index(huge, []byte("ispe"))+8:], "\x00\x01\x00\x00\x00\x01\x00\x00")
		if _, err := decoderOf(name)(huge, data.Limits{Pixels: math.MaxInt}); err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("%s of 65536 x 65536: %v", name, err)
		}
	}
}

func decoderOf(name string) func([]byte, data.Limits) (*data.RGB, error) {
	if filepath.Ext(name) == ".avif" {
		return DecodeAVIF
	}
	return DecodeHEIC
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func readUpright(t *testing.T) *data.RGB {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(read(t, "upright.png")))
	if err != nil {
		t.Fatal(err)
	}
	rgb, err := data.FromImage(m, data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return rgb
}

// check compares sizes and mean differences.
func check(t *testing.T, name string, m *data.RGB, err error, want *data.RGB, tolerance float64) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if m.W != want.W || m.H != want.H {
		t.Errorf("%s: %dx%d, want %dx%d", name, m.W, m.H, want.W, want.H)
		return
	}
	sum := 0
	for i, v := range m.Pix {
		sum += max(int(v)-int(want.Pix[i]), int(want.Pix[i])-int(v))
	}
	if mean := float64(sum) / float64(len(m.Pix)); mean > tolerance {
		t.Errorf("%s: differs by %.2f in the mean, at most %g is right", name, mean, tolerance)
	}
}
