package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// widest is the width at which pages are used, too.
const widest = 1440

// check is what is wrong with the page that is open, a sentence each. It runs in the browser.
const check = `(() => {
	const wrong = [], root = document.documentElement;
	if (root.scrollWidth > root.clientWidth) {
		const wide = [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest(".scroll, pre"));
		wrong.push("the page is " + root.scrollWidth + " wide in a window of " + root.clientWidth + ": " + (wide[0]?.outerHTML ?? "").slice(0, 120));
	}
	if (!root.lang || !document.title || !document.querySelector("meta[name=viewport]")) wrong.push("language, title or viewport is missing");
	let level = 0;
	for (const h of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
		if (+h.tagName[1] > level + 1) wrong.push("the heading " + h.textContent + " follows one that is more than one level above");
		level = +h.tagName[1];
	}
	if (document.querySelectorAll("h1").length !== 1) wrong.push("there is not one h1");
	for (const i of document.images) {
		if (i.complete && !i.naturalWidth) wrong.push("an image is not shown: " + i.src.slice(0, 80));
		if (!i.hasAttribute("alt")) wrong.push("an image has no alt: " + i.src.slice(0, 80));
	}
	for (const c of document.querySelectorAll("button, input, select, textarea, [tabindex]")) {
		const name = c.ariaLabel || c.textContent.trim() || c.title || c.value || [...(c.labels ?? [])].map(l => l.textContent.trim()).join("");
		if (!name) wrong.push("a control has no name: " + c.outerHTML.slice(0, 80));
	}
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
	if (new Set(ids).size !== ids.length) wrong.push("an id is there twice");
	for (const a of document.querySelectorAll("a[href^='#']")) {
		if (!document.getElementById(decodeURIComponent(a.hash.slice(1)))) wrong.push("a link leads nowhere: " + a.hash);
	}
	for (const f of document.querySelectorAll("figure.chart")) if (!f.hidden && !f.querySelector("canvas")) wrong.push("a chart was not drawn: " + f.textContent.trim().slice(0, 80));
	return wrong;
})()`

// heard collects what a page asks for and complains of.
type heard struct {
	mu    sync.Mutex
	wrong []string
}

// listen hears the events of a tab.
func (h *heard) listen(ev any) {
	complaint := ""
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if url := ev.Request.URL; !allowed(url) {
			complaint = "it asks for " + url
		}
	case *runtime.EventExceptionThrown:
		complaint = fmt.Sprintf("exception: %s %v", ev.ExceptionDetails.Text, ev.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			complaint = fmt.Sprintf("console: %s", ev.Args[0].Value)
		}
	case *log.EventEntryAdded:
		complaint = fmt.Sprintf("log: %s %s", ev.Entry.Text, ev.Entry.URL)
	}
	if complaint != "" {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.wrong = append(h.wrong, complaint)
	}
}

// allowed says whether a page may ask for a URL: for what lies on this machine.
func allowed(url string) bool {
	for _, prefix := range []string{"file://", "data:", "blob:", "http://127.0.0.1:"} {
		if strings.HasPrefix(url, prefix) {
			return true
		}
	}
	return false
}

// visit opens a page in a new tab and says what is wrong with it, once nothing there is busy. then, where it is not nil, does something there.
func visit(t *testing.T, ctx context.Context, url string, width int64, scheme string, then func(tab context.Context)) []string {
	t.Helper()
	var h heard
	tab, end := chromedp.NewContext(ctx, chromedp.WithListener(h.listen))
	defer end()
	if _, err := chromedp.Call(tab, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	do(t, tab, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url))
	if dark := evaluate[bool](t, tab, `matchMedia("(prefers-color-scheme: dark)").matches`); dark != (scheme == "dark") {
		t.Errorf("the scheme is not %s", scheme)
	}
	await(t, tab, `document.querySelector("[aria-busy=true]") === null`)
	wrong := evaluate[[]string](t, tab, check)
	if then != nil {
		then(tab)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return append(wrong, h.wrong...)
}

// The checks find what is wrong with a page that is wrong in every way.
func TestCheck(t *testing.T) {
	name := filepath.Join(t.TempDir(), "page.html")
	const bad = `<!DOCTYPE html><html><body><h1>a</h1><h3 id="x">b</h3><p id="x" style="width: 3000px">wide</p>
<img src="http://192.0.2.1/a.png"><img alt="" src="data:image/png;base64,AAAA"><button></button><a href="#none">a</a><figure class="chart">c</figure>
<script>console.error("bad"); setTimeout(() => { throw new Error("worse") })</script></body></html>`
	if err := os.WriteFile(name, []byte(bad), 0o666); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(visit(t, browser(t), fileURL(name), 375, "light", nil), "\n")
	for _, want := range []string{
		"the page is 3008 wide in a window of 375", "language, title or viewport", "more than one level above", "no alt", "is not shown", "has no name", "there twice",
		"leads nowhere: #none", "was not drawn: c", "asks for http://192.0.2.1/a.png", `console: "bad"`, "exception: Uncaught",
	} {
		if !strings.Contains(found, want) {
			t.Errorf("nobody complains that %q:\n%s", want, found)
		}
	}
}

// await waits until an expression is true in the page.
func await(t testing.TB, ctx context.Context, expression string) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); !evaluate[bool](t, ctx, expression); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("it never holds that %s", expression)
		}
	}
}

// shoot leaves a screenshot of the whole page in the folder that BEIT_SCREENSHOTS names, where it does.
func shoot(t *testing.T, tab context.Context, name string) {
	t.Helper()
	dir := os.Getenv("BEIT_SCREENSHOTS")
	if dir == "" {
		return
	}
	shot, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), shot, 0o666); err != nil {
		t.Fatal(err)
	}
}
