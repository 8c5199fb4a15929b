package browsertest

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// useCharts does with the charts of a page what a reader does: points at a value, goes through the controls by keyboard, and changes axis, scale and
// smoothing.
func useCharts(t *testing.T, ctx context.Context) {
	t.Helper()
	at := func() string {
		return evaluate[string](t, ctx, `document.querySelector("figure.chart .at").textContent`)
	}
	inked := func() string {
		return evaluate[string](t, ctx, `document.querySelector("figure.chart canvas").toDataURL()`)
	}
	last := at()
	middle := evaluate[[]float64](t, ctx, `(() => {
		const plot = document.querySelector("figure.chart .u-over");
		plot.scrollIntoView({ block: "center", behavior: "instant" });
		const box = plot.getBoundingClientRect();
		return [box.x + box.width / 3, box.y + box.height / 2];
	})()`)
	do(t, ctx, chromedp.MouseEvent(chromedp.MouseMoved, middle[0], middle[1]))
	if hovered := at(); hovered == last || hovered == "" {
		t.Errorf("the pointer over a third of the chart shows %q, as without it", hovered)
	}

	// By keyboard: each of these is reached by Tab from the beginning of the page.
	evaluate[bool](t, ctx, `(document.activeElement.blur(), window.scrollTo(0, 0), true)`)
	wanted := []string{"select[name=axis]", "input[name=log]", "input[name=smoothing]", ".plot", ".legend button", "summary"}
	for range 60 {
		if len(wanted) == 0 {
			return
		}
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		if evaluate[bool](t, ctx, `document.activeElement.matches("`+wanted[0]+`")`) {
			if !evaluate[bool](t, ctx, `document.activeElement.matches(":focus-visible")`) {
				t.Errorf("%s does not show that it has the focus", wanted[0])
			}
			switch before := inked(); wanted[0] {
			case ".plot":
				do(t, ctx, chromedp.KeyEvent(kb.Home+kb.ArrowRight))
				if said := evaluate[string](t, ctx, `document.querySelector("figure.chart .said").textContent`); !strings.Contains(said, ": ") {
					t.Errorf("an arrow key in a chart says %q", said)
				}
			case "select[name=axis]":
				do(t, ctx, chromedp.KeyEvent(kb.ArrowDown))
				changed(t, "another axis", before, inked())
			case "input[name=log]", ".legend button":
				do(t, ctx, chromedp.KeyEvent(" "))
				changed(t, wanted[0], before, inked())
			case "input[name=smoothing]":
				do(t, ctx, chromedp.KeyEvent(kb.End))
				changed(t, "smoothing", before, inked())
			}
			wanted = wanted[1:]
		}
	}
	t.Errorf("Tab does not reach %q", wanted)
}

// changed wants two drawings to differ.
func changed(t *testing.T, by, before, after string) {
	t.Helper()
	if before == after {
		t.Errorf("%s does not change the chart", by)
	}
}

// evaluate is the value of an expression in the page.
func evaluate[T any](t testing.TB, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// do carries out steps.
func do(t testing.TB, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}
