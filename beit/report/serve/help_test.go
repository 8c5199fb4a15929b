package serve

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/run"
	files "github.com/gobeit/gobeit/nn/state"
)

// began is when the runs of tests began.
var began = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// stepRecord is the record of a step of a classifier's run, one every second.
func stepRecord(step int, loss float64) run.Record {
	return run.Record{
		Kind: run.KindStep, Epoch: 1 + step/100, Step: step, Time: began.Add(time.Duration(step) * time.Second),
		Values: map[string]float64{"loss": loss, "grad_norm": 1},
	}
}

// write does what must not fail.
func write(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// makeRun writes the folder of a classifier's run without a model.
func makeRun(t testing.TB, dir string, status run.Status, records ...run.Record) {
	t.Helper()
	cfg, _, err := finetune.Method.Configure("small32", "", []string{"data.path=<my> images"}, nil)
	write(t, err, run.Prepare(dir), run.WriteConfig(dir, cfg.TOML(), files.WriteFileAtomic))
	m, _, _, err := run.OpenMetrics(dir, 0, 0, files.WriteFileAtomic)
	write(t, err)
	for _, r := range records {
		write(t, m.Append(r))
	}
	write(t, m.Close(), run.WriteStatus(dir, status))
}

// claim locks a run folder, as a training does.
func claim(t testing.TB, dir string) *run.Lock {
	t.Helper()
	lock, err := run.Claim(dir)
	write(t, err)
	t.Cleanup(func() { lock.Close() })
	return lock
}

// add appends records to a run.
func add(t testing.TB, dir string, records ...run.Record) {
	t.Helper()
	const many = 1 << 30
	m, _, _, err := run.OpenMetrics(dir, many, many, appendOnly)
	write(t, err)
	for _, r := range records {
		write(t, m.Append(r))
	}
	write(t, m.Close())
}

// appendOnly leaves the file that OpenMetrics would replace as it is.
func appendOnly(string, func(w io.Writer) error) error { return nil }

// start serves the runs in root.
func start(t testing.TB, root string) (*Server, *httptest.Server) {
	t.Helper()
	s := New(root, Options{})
	s.feeds.poll = 20 * time.Millisecond
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		write(t, s.Close())
	})
	return s, server
}

// get asks a handler for a page.
func get(t testing.TB, h http.Handler, url string) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(t.Context(), "GET", url, nil))
	return w.Code, w.Body.String()
}

// request is a request to this machine.
func request(ctx context.Context, method, url string, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, url, body)
	r.Host = "localhost:7350"
	return r
}

// put writes a file in a folder.
func put(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	write(t, os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666))
}
