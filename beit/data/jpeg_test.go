package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/casestest"
)

// TestCasesJPEG decodes the JPEG files from the field, as they are stored. Those that may be refused must be refused by a message of the decoder.
func TestCasesJPEG(t *testing.T) {
	seen := 0
	for _, c := range casestest.All(t) {
		if !isJPEGName(c.Input) {
			continue
		}
		content, err := os.ReadFile(c.Path())
		if err != nil {
			t.Fatal(err)
		}
		turned := bytes.Contains(content, exifHeader) // perhaps, and the case is about that
		if !isJPEG(content) || turned || c.Expected.Width == 0 && c.Expected.Message == "" {
			continue
		}
		seen++
		t.Run(c.Name, func(t *testing.T) {
			got, err := Decode(content, DefaultLimits)
			if err != nil {
				if c.Expected.Width > 0 && !c.MayRefuse || !strings.HasPrefix(err.Error(), "decode ") {
					t.Errorf("refused: %v", err)
				}
				return
			}
			checkCase(t, c, got)
		})
	}
	if seen == 0 {
		t.Skip("the folder of cases has no JPEG file with known pixels")
	}
}

func isJPEGName(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".jpg" || ext == ".jpeg" || ext == ".jpe" || ext == ".jfif"
}

// checkCase compares decoded pixels with those that are right.
func checkCase(t *testing.T, c casestest.Case, got *RGB) {
	if c.Expected.Width == 0 {
		t.Fatalf("decoded, want %s", c.Expected.Message)
	}
	if got.W != c.Expected.Width || got.H != c.Expected.Height {
		t.Fatalf("%dx%d, want %dx%d", got.W, got.H, c.Expected.Width, c.Expected.Height)
	}
	if c.Expected.Tolerance == 255 {
		return
	}
	if want := c.Reference(t); want != nil {
		if most, mean := difference(got.Pix, want); most > c.Expected.Tolerance {
			t.Errorf("differences of at most %d, %.3f on average, want %d", most, mean, c.Expected.Tolerance)
		}
		return
	}
	if sum := sha256.Sum256(got.Pix); hex.EncodeToString(sum[:]) != c.Expected.SHA256 {
		t.Errorf("SHA256 %x, want %s", sum, c.Expected.SHA256)
	}
}

// A scaled image is a whole Image of its own.
func TestDecodeScaledJPEG(t *testing.T) {
	content := photo(t) // 500x375
	for scale, want := range map[int]image.Point{1: {500, 375}, 2: {250, 188}, 4: {125, 94}, 8: {63, 47}} {
		m, err := decodeScaledJPEG(content, scale)
		if err != nil {
			t.Fatal(err)
		}
		if all := whole(m); all.Bounds().Max != want {
			t.Errorf("scale %d: %v, want %v", scale, all.Bounds().Max, want)
		}
	}
}
