package browsertest

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
)

// steps is the length of the run whose page is measured.
const steps = 10_000

// Sizes of the other pages: codes of the codebook, embeddings on the map.
const (
	codes      = 8192
	embeddings = 20_000
)

// What a page shows once it is painted: charts, images that are loaded in full, links over an image, and canvases with thumbnails. Those hold images
// from disk, so that Chromium does not let them be read.
const (
	charts     = `document.querySelectorAll("figure.chart canvas").length`
	loaded     = `[...document.images].filter(i => i.complete && i.naturalWidth > 0).length`
	linked     = `await document.querySelector("svg image").decode().then(() => document.querySelectorAll("svg a").length)`
	thumbnails = `[...document.querySelectorAll("canvas")].filter(c => { try { c.getContext("2d").getImageData(0, 0, 1, 1) } catch { return true } }).length`
)

// BenchmarkReport measures how long it takes from navigation to the last chart of a run of 10,000 steps with a record of each.
func BenchmarkReport(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(shared.trained(b), "backbone"))); err != nil {
		b.Fatal(err)
	}
	lengthen(b, dir)
	file := filepath.Join(b.TempDir(), "report.html")
	shared.must(b, "report", dir, "--out", file)
	measure(b, file, charts)
}

// BenchmarkCodebook measures how long the first page of a gallery of 8,192 codes takes, and their map. The tokenizer learns so slowly that about
// half of the codes which k-means made stay in use.
func BenchmarkCodebook(b *testing.B) {
	const images = "shapes:4000"
	tokenizer, dir := filepath.Join(b.TempDir(), "tokenizer"), filepath.Join(b.TempDir(), "codebook")
	shared.must(b, append([]string{
		"tokenizer", "train", "--data", images, "--out", tokenizer, "--lr", "1e-7", "--set", fmt.Sprintf("tokenizer.model.codes=%d", codes),
	}, tiny...)...)
	shared.must(b, "codebook", tokenizer, images, "--out", dir)
	for page, counted := range map[string]string{"index": loaded, "map": linked} {
		b.Run("page="+page, func(b *testing.B) { measure(b, filepath.Join(dir, page+".html"), counted) })
	}
}

// BenchmarkMap measures how long a map of 20,000 embeddings takes.
func BenchmarkMap(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "map")
	shared.must(b, "map", filepath.Join(shared.trained(b), "backbone"), fmt.Sprintf("shapes:%d", embeddings), "--part", "train", "--out", dir)
	measure(b, filepath.Join(dir, "index.html"), thumbnails)
}

// measure opens a page b.N times, until what is counted is there and a frame later, and reports the median.
func measure(b *testing.B, file, counted string) {
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	painted := fmt.Sprintf(`(async () => {
		for (const late = performance.now() + 60_000; performance.now() < late;) {
			await new Promise(requestAnimationFrame);
			const count = %s;
			if (count > 0) return await new Promise(done => requestAnimationFrame(() => done(count)));
		}
		return 0;
	})()`, counted)
	ctx := browser(b)
	do(b, ctx, chromedp.EmulateViewport(widest, 900), chromedp.Navigate("about:blank"))
	var took []float64
	for b.Loop() {
		start := time.Now()
		do(b, ctx, chromedp.Navigate(fileURL(file)))
		count, err := chromedp.Run(ctx, chromedp.Evaluate[int](painted, chromedp.EvalAwaitPromise))
		if err != nil || count == 0 {
			b.Fatalf("%d are shown: %v", count, err)
		}
		took = append(took, time.Since(start).Seconds())
		b.StopTimer()
		do(b, ctx, chromedp.Navigate("about:blank"))
		b.StartTimer()
	}
	slices.Sort(took)
	b.ReportMetric(1000*took[len(took)/2], "median-ms")
	b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
}

// lengthen gives a run a record for each of many steps.
func lengthen(b *testing.B, dir string) {
	b.Helper()
	known, err := run.ReadMetrics(dir)
	if err != nil {
		b.Fatal(err)
	}
	metrics, _, _, err := run.OpenMetrics(dir, 0, 0, state.WriteFileAtomic)
	if err != nil {
		b.Fatal(err)
	}
	defer metrics.Close()
	first := slices.IndexFunc(known, func(r run.Record) bool { return r.Kind == run.KindStep })
	for i := range steps {
		r := known[first]
		r.Step, r.Epoch, r.Time = i+1, 1+i/100, known[0].Time.Add(time.Duration(i)*time.Second)
		values := map[string]float64{}
		for key, v := range r.Values {
			values[key] = v * (1 + math.Exp(-float64(i)/2000) + 0.1*math.Sin(float64(i*i)))
		}
		r.Values = values
		if err := metrics.Append(r); err != nil {
			b.Fatal(err)
		}
	}
}
