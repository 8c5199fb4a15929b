package data

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/casestest"
	"github.com/gobeit/gobeit/nn/state/filekind"
)

// TestCasesPixels decodes the images among the cases from the field.
func TestCasesPixels(t *testing.T) {
	seen := 0
	for _, c := range casestest.All(t) {
		content, err := os.ReadFile(c.Path())
		isImage := err == nil && (c.Expected.SHA256 != "" || c.Expected.Message != "" && imageEnding(c.Input))
		if !isImage {
			continue
		}
		seen++
		t.Run(c.Name, func(t *testing.T) {
			var options []Option
			if c.Transpose {
				options = append(options, ExifTranspose())
			}
			m, err := Decode(content, DefaultLimits, options...)
			switch {
			case c.Expected.SHA256 == "":
				checkMessage(t, content, err)
			case err == nil:
				checkPixels(t, c, m)
			case c.MayRefuse:
				checkRefusal(t, content, err)
			default:
				t.Error(err)
			}
		})
	}
	if seen == 0 {
		t.Error("no case is an image")
	}
}

// imageEnding reports whether a name is that of an image.
func imageEnding(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".heic", ".heif", ".avif", ".jxl", ".svg":
		return true
	}
	return false
}

// checkPixels compares with the right pixels. With a tolerance of 255 only the size is certain.
func checkPixels(t *testing.T, c casestest.Case, m *RGB) {
	if m.W != c.Expected.Width || m.H != c.Expected.Height {
		t.Fatalf("%dx%d, want %dx%d", m.W, m.H, c.Expected.Width, c.Expected.Height)
	}
	sum := sha256.Sum256(m.Pix)
	if hex.EncodeToString(sum[:]) == c.Expected.SHA256 || c.Expected.Tolerance == 255 {
		return
	}
	reference := c.Reference(t)
	if len(reference) != len(m.Pix) {
		t.Fatalf("the SHA-256 differs, and the reference has %d bytes, not %d", len(reference), len(m.Pix))
	}
	if most, mean := difference(m.Pix, reference); most > c.Expected.Tolerance {
		t.Errorf("differences of at most %d, %.3f on average, want %d", most, mean, c.Expected.Tolerance)
	}
}

// checkMessage wants an error that says what the file is where it is no image, and what it lacks where it is a broken one.
func checkMessage(t *testing.T, content []byte, err error) {
	kind := filekind.Of(content)
	want := cmp.Or(kind.Name, "of a known format")
	if _, ok := formats[kind.Image]; ok {
		want = "table"
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v should contain %q", err, want)
	}
}

// checkRefusal wants an error that names what the file is.
func checkRefusal(t *testing.T, content []byte, err error) {
	kind := filekind.Of(content)
	if kind.Name == "" || !strings.Contains(fmt.Sprint(err), kind.Short) {
		t.Errorf("the file is %s, but the error is %v", kind.Name, err)
	}
	t.Logf("refused: %v", err)
}
