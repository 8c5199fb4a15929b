package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// work is a folder with the command and tiny runs, which all tests share.
type work struct {
	dir  string
	beit string
	runs func() (string, error) // trains a tokenizer, a backbone and a classifier at the first call, and returns their folder
}

var shared work

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "browsertest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared = work{dir: dir, beit: filepath.Join(dir, "beit")}
	build := exec.Command("go", "build", "-o", shared.beit, "./cmd/beit")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	shared.runs = sync.OnceValues(shared.train)
	return m.Run()
}

// command carries out a command line of beit.
func (w *work) command(args ...string) error {
	cmd := exec.Command(w.beit, args...)
	cmd.Dir = w.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("beit %q: %w\n%s", args, err, out)
	}
	return nil
}

// must is command for a test.
func (w *work) must(t testing.TB, args ...string) {
	t.Helper()
	if err := w.command(args...); err != nil {
		t.Fatal(err)
	}
}

// tiny shortens runs to seconds.
var tiny = []string{"--preset", "tiny32", "--epochs", "3", "--set", "train.batch=32", "--set", "log.every=1"}

func (w *work) train() (string, error) {
	runs := filepath.Join(w.dir, "runs")
	at := func(name string) string { return filepath.Join(runs, name) }
	const images = "shapes:300"
	for _, args := range [][]string{
		{"tokenizer", "train", "--data", images, "--out", at("tokenizer"), "--set", "tokenizer.model.codes=64"},
		{"pretrain", "--data", images, "--tokenizer", at("tokenizer"), "--out", at("backbone"), "--set", "pretrain.model.vocab=64"},
		{"pretrain", "--method", "mae", "--data", images, "--out", at("mae")},
		{"finetune", "--data", images, "--init-from", at("backbone"), "--out", at("classifier")},
	} {
		if err := w.command(append(args, tiny...)...); err != nil {
			return "", err
		}
	}
	return runs, nil
}

// trained is the folder of the runs: tokenizer, backbone, mae and classifier.
func (w *work) trained(t testing.TB) string {
	t.Helper()
	runs, err := w.runs()
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// fileURL is the address of a file.
func fileURL(name string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(name)}).String()
}

// browser starts Chromium, which ends with the test.
func browser(t testing.TB) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	return ctx
}
