package browsertest

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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
	{"reconstruction", func(t *testing.T, w *work) string {
		file := filepath.Join(w.dir, "reconstruction.html")
		w.must(t, "reconstruct", filepath.Join(w.trained(t), "mae"), "procedural:12", "--out", file)
		return fileURL(file)
	}, nil},
	{"attention", func(t *testing.T, w *work) string {
		image, err := filepath.Abs(filepath.Join("..", "..", "..", "beit", "data", "testdata", "pillow", "420.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(w.dir, "attention.html")
		w.must(t, "attention", filepath.Join(w.trained(t), "backbone"), image, "--out", file)
		return fileURL(file)
	}, nil},
	{"codebook", func(t *testing.T, w *work) string {
		dir := filepath.Join(w.dir, "codebook")
		w.must(t, "codebook", filepath.Join(w.trained(t), "tokenizer"), "shapes:100", "--out", dir)
		return fileURL(filepath.Join(dir, "index.html"))
	}, useCodebook},
	{"map", func(t *testing.T, w *work) string {
		dir := filepath.Join(w.dir, "map")
		w.must(t, "map", filepath.Join(w.trained(t), "backbone"), "shapes:100", "--out", dir)
		return fileURL(filepath.Join(dir, "index.html"))
	}, useMap},
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

// useCodebook opens by keyboard what a code has besides, and goes to all codes.
func useCodebook(t *testing.T, ctx context.Context) {
	tabTo(t, ctx, ".card summary")
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	await(t, ctx, `document.activeElement.parentElement.open`)
	evaluate[bool](t, ctx, `(document.activeElement.blur(), window.scrollTo(0, 0), true)`)
	tabTo(t, ctx, "nav a:not([aria-current])")
	name := evaluate[string](t, ctx, `document.activeElement.textContent`)
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	await(t, ctx, `!location.pathname.endsWith("/index.html") && document.readyState === "complete"`)
	if got := evaluate[string](t, ctx, `document.querySelector("[aria-current=page]").textContent`); got != name {
		t.Errorf("Enter on %q leads to %q", name, got)
	}
	shownWell(t, ctx)
}

// useMap looks for an image by a part of its name, and goes from there by arrow keys.
func useMap(t *testing.T, ctx context.Context) {
	chosen := func() string {
		return evaluate[string](t, ctx, `document.querySelector(".map-name").textContent`)
	}
	tabTo(t, ctx, "input[name=find]")
	do(t, ctx, chromedp.KeyEvent("disc"))
	found := chosen()
	if !strings.Contains(found, "disc") {
		t.Errorf("looking for disc finds %q", found)
	}
	tabTo(t, ctx, "#map-canvas")
	do(t, ctx, chromedp.KeyEvent(kb.ArrowRight+kb.ArrowLeft+kb.ArrowDown+kb.ArrowDown))
	if next := chosen(); next == "" || next == found {
		t.Errorf("arrow keys lead from %q to %q", found, next)
	}
	shoot(t, ctx, "map-chosen.png")
	shownWell(t, ctx)
}
