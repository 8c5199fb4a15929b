package browsertest

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
)

// dashboard is a page of "beit serve", which serves a copy of the runs while the page is looked at.
func dashboard(name, path string, use func(t *testing.T, ctx context.Context, runs string)) page {
	runs := ""
	open := func(t *testing.T, w *work) string {
		runs = filepath.Join(t.TempDir(), "runs")
		if err := os.CopyFS(runs, os.DirFS(w.trained(t))); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(w.beit, "serve", runs, "--addr", "127.0.0.1:0")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		url, _, _ := strings.Cut(line, "/ ")
		return url + path
	}
	return page{name, open, func(t *testing.T, ctx context.Context) { use(t, ctx, runs) }}
}

// tabTo goes by Tab until the focus is in an element that matches a selector.
func tabTo(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	for range 60 {
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		if evaluate[bool](t, ctx, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
	}
	t.Errorf("Tab does not reach %s", selector)
}

// useList sees a run that begins and one that is deleted, and goes to a run by keyboard.
func useList(t *testing.T, ctx context.Context, runs string) {
	const listed = `[...document.querySelectorAll("#runs a")].some(a => a.textContent === "a later <run>")`
	late := filepath.Join(runs, "a later <run>")
	if err := os.CopyFS(late, os.DirFS(filepath.Join(runs, "tokenizer"))); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, listed)
	if err := os.RemoveAll(late); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, "!"+listed)
	tabTo(t, ctx, "#runs a")
	name := evaluate[string](t, ctx, `document.activeElement.textContent`)
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	await(t, ctx, `location.pathname.startsWith("/run/") && document.readyState === "complete"`)
	if got := evaluate[string](t, ctx, `document.querySelector("h1").textContent`); got != name {
		t.Errorf("Enter on %q leads to %q", name, got)
	}
}

// useRun uses the charts, and sees what a long run adds to them. The page does not grow with it.
func useRun(t *testing.T, ctx context.Context, runs string) {
	useCharts(t, ctx)
	dir := filepath.Join(runs, "tokenizer")
	elements := evaluate[int](t, ctx, `document.querySelectorAll("*").length`)
	known, err := run.ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, _, _, err := run.OpenMetrics(dir, math.MaxInt, math.MaxInt, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	r, last := known[0], known[len(known)-1].Step
	for range 20_000 {
		last++
		r.Step = last
		if err := m.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	await(t, ctx, fmt.Sprintf(`[...document.querySelectorAll("figure.chart")].some(f => charts.of(f).data.series.some(s => s.x[0].at(-1) === %d))`, last))
	points := evaluate[int](t, ctx, `Math.max(...[...document.querySelectorAll("figure.chart")].flatMap(f => charts.of(f).data.series.map(s => s.y.length)))`)
	if points < 100 || points > 1000 {
		t.Errorf("a series has %d points", points)
	}
	if now := evaluate[int](t, ctx, `document.querySelectorAll("*").length`); now > elements+100 {
		t.Errorf("the page grew from %d to %d elements", elements, now)
	}
}

// drop drops an image of 64 x 48 pixels on the page.
func drop(t *testing.T, ctx context.Context) {
	t.Helper()
	evaluate[bool](t, ctx, `(() => {
		const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 }), pen = canvas.getContext("2d");
		pen.fillStyle = "red"; pen.fillRect(8, 8, 24, 24); pen.fillStyle = "blue"; pen.fillRect(32, 20, 20, 20);
		canvas.toBlob(blob => {
			const dataTransfer = new DataTransfer();
			dataTransfer.items.add(new File([blob], "<dropped>.png"));
			document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
		});
		return true;
	})()`)
	await(t, ctx, `!document.getElementById("result").hidden && document.querySelector("#grid img").naturalWidth > 0`)
}

// said is what the page says of the patch that is chosen.
func said(t *testing.T, ctx context.Context) string {
	t.Helper()
	return evaluate[string](t, ctx, `document.getElementById("said").textContent`)
}

// useImage drops an image, and looks from its patches by mouse and keyboard.
func useImage(t *testing.T, ctx context.Context, _ string) {
	tabTo(t, ctx, "#file")
	drop(t, ctx)
	shoot(t, ctx, "serve-image-dropped.png")
	if text := said(t, ctx); !strings.Contains(text, "class token") || !strings.Contains(text, "Prediction") {
		t.Errorf("of an image it says %q", text)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("#grid button:nth-child(6)")))
	clicked := said(t, ctx)
	if !strings.Contains(clicked, "row 2, column 2") {
		t.Errorf("after a click it says %q", clicked)
	}
	evaluate[bool](t, ctx, `(document.activeElement.blur(), true)`)
	tabTo(t, ctx, "#grid button")
	do(t, ctx, chromedp.KeyEvent(kb.ArrowRight))
	if text := said(t, ctx); !strings.Contains(text, "row 2, column 3") {
		t.Errorf("after an arrow key it says %q", text)
	}
	tabTo(t, ctx, "#block")
	do(t, ctx, chromedp.KeyEvent("1"))
	await(t, ctx, `document.getElementById("block").value === "1" && document.getElementById("doing").textContent === "<dropped>.png"`)
	shownWell(t, ctx)
}

// useMasked drops an image, and looks at masked patches.
func useMasked(t *testing.T, ctx context.Context, _ string) {
	drop(t, ctx)
	do(t, ctx, chromedp.Click(chromedp.CSS("#views input[value=mask]")))
	if text := said(t, ctx); !strings.Contains(text, "did not see") {
		t.Errorf("of masked patches it says %q", text)
	}
	shoot(t, ctx, "serve-masked-dropped.png")
	shownWell(t, ctx)
}

// shownWell checks the page again, with what it shows by now.
func shownWell(t *testing.T, ctx context.Context) {
	t.Helper()
	for _, wrong := range evaluate[[]string](t, ctx, check) {
		t.Errorf("after it was used: %s", wrong)
	}
}
