package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDecodeLikePillow compares decoded files with what Pillow 9.4 made of them (FILE.png beside FILE). They must be equal. Names that begin with "turn" and a digit are decoded with ExifTranspose.
func TestDecodeLikePillow(t *testing.T) {
	list, err := filepath.Glob("testdata/pillow/*.*.png")
	if err != nil || len(list) < 80 {
		t.Fatalf("%d files: %v", len(list), err)
	}
	for _, reference := range list {
		name := strings.TrimSuffix(reference, ".png")
		t.Run(filepath.Base(name), func(t *testing.T) {
			var options []Option
			if turned, _ := filepath.Match("turn[0-9]*.*", filepath.Base(name)); turned {
				options = append(options, ExifTranspose())
			}
			got, want := decodeFile(t, name, options...), decodeFile(t, reference)
			if got.W != want.W || got.H != want.H {
				t.Fatalf("%dx%d, want %dx%d", got.W, got.H, want.W, want.H)
			}
			if most, mean := difference(got.Pix, want.Pix); most > 0 {
				t.Errorf("differences of at most %d, %.3f on average", most, mean)
			}
		})
	}
}

func decodeFile(t testing.TB, name string, options ...Option) *RGB {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Decode(content, DefaultLimits, options...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// difference is the largest and the mean difference of two lists of the same length.
func difference(a, b []uint8) (most int, mean float64) {
	for i, v := range a {
		d := max(int(v), int(b[i])) - min(int(v), int(b[i]))
		most, mean = max(most, d), mean+float64(d)/float64(len(a))
	}
	return most, mean
}
