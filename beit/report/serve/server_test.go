package serve

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/run"
)

// The list has all runs, the one under way first. Damaged ones are there, names are shown as they are, and it follows what happens in the folder.
func TestList(t *testing.T) {
	root := t.TempDir()
	odd := `<script>alert("1")</script> & 'x' 犬`
	makeRun(t, filepath.Join(root, "old"), run.Status{State: run.StateFinished, Step: 100, Total: 100, Epochs: 3}, stepRecord(10, 3))
	makeRun(t, filepath.Join(root, "deep", odd), run.Status{State: run.StateFailed, Error: "disk <full>\x1b[31m", Epochs: 3}, stepRecord(10, 3))
	makeRun(t, filepath.Join(root, "now"), run.Status{State: run.StateRunning, Step: 50, Total: 150, Epochs: 3, Began: began}, stepRecord(10, 3), stepRecord(50, 2))
	claim(t, filepath.Join(root, "now"))
	put(t, root, "broken/config.toml", "method = 3\x00")
	put(t, root, "broken/status.json", "{")
	s := New(root, Options{})
	defer s.Close()
	h := s.Handler()
	status, body := get(t, h, "/")
	if status != http.StatusOK || strings.Contains(body, "<script>alert") || strings.Contains(body, "\x1b") {
		t.Errorf("status %d, page %s", status, body)
	}
	for _, want := range []string{
		`href="/run/now">now</a>`, "1 of 3 epochs, 1m40s left", "loss 2", `class="state damaged">damaged`, "disk &lt;full&gt;\\u001b[31m",
		`href="/run/deep/%3Cscript%3Ealert%28%221%22%29%3C/script%3E%20&amp;%20%27x%27%20%E7%8A%AC"`, "deep/&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(body, "data-run="); n != 4 || strings.Index(body, ">now<") > strings.Index(body, ">old<") {
		t.Errorf("%d runs, or in another order: %s", n, body)
	}
	// What is listed can be opened.
	for _, name := range []string{"old", "deep/" + odd, "now", "broken"} {
		if status, _ := get(t, h, place(runPath, name)); status != http.StatusOK {
			t.Errorf("%s: status %d", name, status)
		}
	}
	write(t, os.RemoveAll(filepath.Join(root, "old")))
	s.roster.at = time.Time{} // as if it were later
	if status, body := get(t, h, "/list"); status != http.StatusOK || strings.Contains(body, ">old<") || strings.Contains(body, "<html") {
		t.Errorf("after a run was deleted: status %d, list %s", status, body)
	}
	write(t, os.RemoveAll(root))
	s.roster.at = time.Time{}
	if status, body := get(t, h, "/list"); status != http.StatusInternalServerError || strings.Count(body, "\n") != 1 || !strings.Contains(body, root) {
		t.Errorf("without the folder: status %d, %q", status, body)
	}
}

func TestRunPage(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "run")
	makeRun(t, dir, run.Status{State: run.StateFinished, Step: 10, Total: 10, Epochs: 1}, stepRecord(10, 3),
		run.Record{Kind: run.KindVal, Epoch: 1, Step: 10, Values: map[string]float64{"top1": 0.5, "best_top1": 0.5}})
	put(t, dir, run.ReportFile, "a report")
	s := New(root, Options{})
	defer s.Close()
	status, body := get(t, s.Handler(), "/run/run")
	for _, want := range []string{"<h1>run</h1>", "&lt;my&gt; images", `data-events="/events/run"`, "gradient norm", "top-1 0.5", `href="/files/run/report.html"`, "Top-1 50.0 %"} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("status %d, the page lacks %q", status, want)
		}
	}
	for _, name := range []string{"/run/", "/run/other", "/run/run/checkpoints", "/run/%2e%2e", "/run/..%2f..", "/run/run%00", "/run/run/x/../.."} {
		if status, _ := get(t, s.Handler(), name); status == http.StatusOK {
			t.Errorf("%s: status %d", name, status)
		}
	}
	// The folder may itself be a run.
	own := New(dir, Options{})
	defer own.Close()
	for _, name := range []string{"/run/", "/files/report.html", "/image/"} {
		if status, _ := get(t, own.Handler(), name); status != http.StatusOK {
			t.Errorf("of the run itself: %s: status %d", name, status)
		}
	}
}

// Of a run only its pages are served, and nothing from elsewhere.
func TestFiles(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	dir := filepath.Join(root, "run")
	makeRun(t, dir, run.Status{State: run.StateFinished})
	put(t, outside, "secret.html", "of somebody else")
	put(t, dir, "report.html", "report")
	put(t, dir, "codebook/index.html", "codebook")
	put(t, dir, "codebook/code 1#?.png", "image")
	put(t, dir, "map/near/list.csv", "list")
	put(t, dir, "map/model.safetensors", "weights")
	put(t, dir, "tokenizer.safetensors", "weights")
	put(t, root, "report.html", "of no run")
	put(t, root, "codebook/index.html", "of no run")
	for link, to := range map[string]string{"codebook/out.html": filepath.Join(outside, "secret.html"), "codebook/dir": outside, "codebook/up": "../../..", "map/in.html": "../report.html"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	s := New(root, Options{})
	defer s.Close()
	for name, want := range map[string]string{
		"run/report.html": "report", "run/codebook/index.html": "codebook", "run/codebook/code 1#?.png": "image", "run/map/near/list.csv": "list",
		"run/map/in.html": "report",
	} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, request(t.Context(), "GET", place(filesPath, name), nil))
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: status %d, %q", name, w.Code, w.Body)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox allow-scripts ") || strings.Contains(policy, "allow-same-origin") ||
			!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "connect-src") {
			t.Errorf("%s: policy %s", name, policy)
		}
	}
	secret := filepath.ToSlash(filepath.Join(outside, "secret.html"))
	for _, url := range []string{
		"run/config.toml", "run/metrics.jsonl", "run/tokenizer.safetensors", "run/map/model.safetensors", "run/codebook", "run/codebook/", "run/map/near",
		"run/codebook/out.html", "run/codebook/dir/secret.html", "run/codebook/up" + secret, "report.html", "codebook/index.html", "run/index.html",
		"run/codebook/%2e%2e/report.html", "run/codebook/..%2freport.html", "run/codebook/..%2f..%2f.." + secret, "run/codebook/../../.." + secret,
		"%2e%2e/" + filepath.Base(outside) + "/secret.html", "/" + secret, "run/codebook//index.html", `run/codebook/..\report.html`, "run/codebook/index.html%00.png",
	} {
		w := httptest.NewRecorder()
		r := request(t.Context(), "GET", "/", nil)
		var err error
		r.URL, err = r.URL.Parse("http://localhost" + filesPath + url)
		write(t, err)
		s.Handler().ServeHTTP(w, r)
		if w.Code == http.StatusOK || strings.Contains(w.Body.String(), "of somebody else") {
			t.Errorf("%s: status %d, %q", url, w.Code, w.Body)
		}
	}
}

// Pages of other sites neither post nor read, and a name that leads here must be this machine's.
func TestGuard(t *testing.T) {
	s := New(t.TempDir(), Options{Addr: "board.example:7350"})
	defer s.Close()
	for _, c := range []struct {
		name, method, host string
		header             map[string]string
		want               int
	}{
		{"this machine", "GET", "localhost:7350", nil, 200},
		{"another port", "GET", "127.0.0.1:9000", nil, 200},
		{"IPv6", "GET", "[::1]:7350", nil, 200},
		{"IPv6 without a port", "GET", "[::1]", nil, 200},
		{"the name that was given", "GET", "Board.example", nil, 200},
		{"rebinding", "GET", "evil.example:7350", nil, 421},
		{"rebinding to a name like ours", "GET", "localhost.evil.example", nil, 421},
		{"no host", "GET", "", nil, 421},
		{"a link on another site", "GET", "localhost:7350", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200},
		{"a script of another site", "GET", "localhost:7350", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		{"a post of another site", "POST", "localhost:7350", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a post of another site in an old browser", "POST", "localhost:7350", map[string]string{"Origin": "https://evil.example"}, 403},
		{"a post of a page in a run folder", "POST", "localhost:7350", map[string]string{"Origin": "null"}, 403},
		{"an own post", "POST", "localhost:7350", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:7350"}, 404},
		{"a post of a program", "POST", "localhost:7350", nil, 404},
	} {
		url := "/"
		if c.method == "POST" {
			url = "/image/none"
		}
		r := request(t.Context(), c.method, url, nil)
		r.Host = c.host
		for name, value := range c.header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: status %d, want %d", c.name, w.Code, c.want)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Access-Control-Allow-Origin": ""} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", c.name, name, got)
			}
		}
	}
	// The pages load nothing inline, and all they load is there.
	_, body := get(t, s.Handler(), "/")
	if strings.Contains(body, "<style") || strings.Contains(body, "<script>") {
		t.Errorf("the page has a style or script that its policy forbids: %s", body)
	}
	err := fs.WalkDir(embedded, "assets", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if status, _ := get(t, s.Handler(), ownPath+d.Name()); status != http.StatusOK {
				t.Errorf("%s: status %d", d.Name(), status)
			}
		}
		return err
	})
	write(t, err)
	for _, name := range []string{"style.css", "page.js", "chart.js", "uplot/uPlot.iife.min.js"} {
		if status, _ := get(t, s.Handler(), assetsPath+name); status != http.StatusOK {
			t.Errorf("%s: status %d", name, status)
		}
	}
}

// The server ends at once with its context, although pages follow runs.
func TestServeEnds(t *testing.T) {
	root := t.TempDir()
	makeRun(t, filepath.Join(root, "run"), run.Status{State: run.StateFinished}, stepRecord(1, 1))
	s := New(root, Options{})
	defer s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	write(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	events, leave := follow(t, fmt.Sprintf("http://%s/events/run", l.Addr()), "")
	defer leave()
	await(t, events, "all curves", kind("charts"))
	stop()
	for range events { // until the stream ends
	}
	select {
	case err := <-ended:
		write(t, err)
	case <-time.After(20 * time.Second):
		t.Error("the server goes on")
	}
}
