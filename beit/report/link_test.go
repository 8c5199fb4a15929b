package report

import (
	"path/filepath"
	"testing"
)

func TestLinkTo(t *testing.T) {
	dir := t.TempDir()
	for _, c := range [][2]string{
		{"a.png", "a.png"}, {filepath.Join("..", "x y", "100%#?.png"), "../x%20y/100%25%23%3F.png"}, {"<b>.png", "%3Cb%3E.png"}, {"a:b.png", "./a:b.png"},
	} {
		if got := LinkTo(dir, filepath.Join(dir, c[0])); got != c[1] {
			t.Errorf("%q becomes %q, want %q", c[0], got, c[1])
		}
	}
}
