package browsertest

import (
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

// drawn waits until the page is painted, and says how many charts it has.
const drawn = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelectorAll("figure.chart canvas").length))))`

// BenchmarkReport measures how long it takes from navigation to the last chart of a run of 10,000 steps with a record of each.
func BenchmarkReport(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(shared.trained(b), "backbone"))); err != nil {
		b.Fatal(err)
	}
	lengthen(b, dir)
	file := filepath.Join(b.TempDir(), "report.html")
	shared.must(b, "report", dir, "--out", file)
	measure(b, fileURL(file))
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
}

// measure opens a page b.N times, and reports the median.
func measure(b *testing.B, url string) {
	ctx := browser(b)
	do(b, ctx, chromedp.EmulateViewport(widest, 900), chromedp.Navigate("about:blank"))
	var took []float64
	for b.Loop() {
		start := time.Now()
		do(b, ctx, chromedp.Navigate(url))
		charts, err := chromedp.Run(ctx, chromedp.Evaluate[int](drawn, chromedp.EvalAwaitPromise))
		if err != nil || charts == 0 {
			b.Fatalf("%d charts: %v", charts, err)
		}
		took = append(took, time.Since(start).Seconds())
		b.StopTimer()
		do(b, ctx, chromedp.Navigate("about:blank"))
		b.StartTimer()
	}
	slices.Sort(took)
	b.ReportMetric(1000*took[len(took)/2], "median-ms")
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
