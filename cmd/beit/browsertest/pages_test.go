package browsertest

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
)

// page is a page that is looked at.
type page struct {
	name string
	open func(t *testing.T, w *work) string      // makes it, and returns its address
	use  func(t *testing.T, ctx context.Context) // what a reader does on it, at the largest width; nil: nothing
}

// pages are all of them.
var pages = []page{
	{"report", func(t *testing.T, w *work) string {
		file := filepath.Join(w.dir, "report.html")
		w.must(t, "report", filepath.Join(w.trained(t), "classifier"), "--out", file)
		return fileURL(file)
	}, useCharts},
	{"report-at-end", func(t *testing.T, w *work) string {
		return fileURL(filepath.Join(w.trained(t), "tokenizer", "report.html"))
	}, useCharts},
	{"attention", func(t *testing.T, w *work) string {
		image, err := filepath.Abs(filepath.Join("..", "..", "..", "beit", "data", "testdata", "pillow", "420.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(w.dir, "attention.html")
		w.must(t, "attention", filepath.Join(w.trained(t), "backbone"), image, "--out", file)
		return fileURL(file)
	}, nil},
	dashboard("serve-runs", "/", useList),
	dashboard("serve-run", "/run/tokenizer", useRun),
	dashboard("serve-image", "/image/classifier", useImage),
	dashboard("serve-masked", "/image/backbone", useMasked),
}

// Every page holds what check asks of it, at each width, light and dark.
func TestPages(t *testing.T) {
	ctx := browser(t)
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			url := p.open(t, &shared)
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int64{375, 768, 1440} {
					wrong := visit(t, ctx, url, width, scheme, func(tab context.Context) {
						shoot(t, tab, fmt.Sprintf("%s-%d-%s.png", p.name, width, scheme))
						if p.use != nil && width == widest && scheme == "light" {
							p.use(t, tab)
						}
					})
					for _, w := range wrong {
						t.Errorf("%d pixels, %s: %s", width, scheme, w)
					}
				}
			}
		})
	}
}
