package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// redirect sends all requests to a server.
type redirect struct {
	to   *url.URL
	over http.RoundTripper
}

func (r redirect) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.URL.Host = r.to.Host
	return r.over.RoundTrip(request)
}

// publish lets a server have files, by the last part of their addresses, in place of all others. It returns which were asked for. The cache is empty.
func publish(t *testing.T, files map[string]string) (asked *[]string) {
	t.Helper()
	asked = new([]string)
	answer(t, func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		*asked = append(*asked, name)
		if files[name] == "" {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, files[name])
	})
	return asked
}

// answer lets handle answer in place of all servers. The cache is empty.
func answer(t *testing.T, handle http.HandlerFunc) {
	t.Helper()
	server := httptest.NewTLSServer(handle)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	before := client
	client = &http.Client{Transport: redirect{to, server.Client().Transport}}
	t.Cleanup(func() {
		client = before
		server.Close()
	})
	t.Setenv(model.CacheEnv, filepath.Join(t.TempDir(), "cache"))
}

// dinoFile writes a small network as DINO is published.
func dinoFile(t *testing.T) string {
	t.Helper()
	set := nn.NewSet()
	beit.NewDINO(set.Scope(), beit.DINOShape(beit.ViTConfig{ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 1, Heads: 1, MLPRatio: 4}))
	set.Build(tensor.CPU(), 1, nn.Inference)
	defer set.Release()
	file := filepath.Join(t.TempDir(), "dino.pth")
	if err := state.WriteFileAtomic(file, func(w io.Writer) error { return state.WriteTorch(w, "", nn.Tensors(set.Params())) }); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPull(t *testing.T) {
	asked := publish(t, map[string]string{"dino_vitbase16_pretrain.pth": dinoFile(t)})
	cached := filepath.Join(os.Getenv(model.CacheEnv), "dino_vitbase16_pretrain.pth")
	status, out, errOut := beitRun(t, "pull", "dino-vitb16")
	if status != statusOK || !strings.Contains(out, cached+": SHA-256 ") || !strings.HasPrefix(errOut, "fetching dino-vitb16, 1 MB, to "+cached+"\n") {
		t.Errorf("status %d, %q, %q", status, out, errOut)
	}
	if status, _, errOut := beitRun(t, "pull", "dino_vitbase16_pretrain.pth"); status != statusOK || errOut != "" || len(*asked) != 1 {
		t.Errorf("again: status %d, %q, asked for %q", status, errOut, *asked)
	}
	text := mustRun(t, "pull")
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if strings.Contains(line, "cached") != strings.HasPrefix(line, "dino-vitb16 ") || len(line) > 80 {
			t.Errorf("list: %q", line)
		}
	}
	if list := decode[[]listed](t, mustRun(t, "pull", "--json")); len(list) != len(model.PublishedFiles()) || list[len(list)-1].Cached != cached || list[0].Cached != "" {
		t.Errorf("%+v", list)
	}
	elsewhere := filepath.Join(t.TempDir(), "x.pth")
	if r := decode[pulled](t, mustRun(t, "pull", "--json", "dino-vitb16", "--out", elsewhere)); r.Path != elsewhere || len(r.Sum) != 64 {
		t.Errorf("%+v", r)
	}
}

// A file that is there is checked, not fetched, and one with another digest is refused.
func TestPullChecks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ViT-B-16.pt")
	if err := os.WriteFile(file, []byte("no weights"), 0o666); err != nil {
		t.Fatal(err)
	}
	asked := publish(t, map[string]string{"ViT-B-16.pt": file})
	for _, out := range []string{file, filepath.Dir(file)} {
		status, _, errOut := beitRun(t, "pull", "ViT-B-16", "--out", out)
		if status != statusFailure || !strings.Contains(errOut, "damaged or another one") || len(*asked) > 0 {
			t.Errorf("status %d: %s", status, errOut)
		}
	}
	status, _, errOut := beitRun(t, "pull", "clip-vitb16")
	if status != statusFailure || !strings.Contains(errOut, "damaged or another one") || len(*asked) != 1 {
		t.Errorf("fetched: status %d: %s", status, errOut)
	}
	if left, err := os.ReadDir(os.Getenv(model.CacheEnv)); err != nil || len(left) > 0 {
		t.Errorf("in the cache are %v, %v", left, err)
	}
}

// A download that broke off goes on by the same command, which says how much is there.
func TestPullGoesOn(t *testing.T) {
	text := strings.Repeat("weights ", 500_000)
	broken := true
	answer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if broken {
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			io.WriteString(w, text[:3_000_000])
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	})
	file := filepath.Join(t.TempDir(), "x.pth")
	status, _, errOut := beitRun(t, "pull", "beitv2-base", "--out", file)
	if status != statusFailure || !strings.HasPrefix(errOut, "fetching beitv2-base, 4 MB, to "+file+"\n") || !strings.HasSuffix(errOut, "; the same command goes on from there\n") {
		t.Errorf("status %d: %s", status, errOut)
	}
	broken = false
	status, _, errOut = beitRun(t, "pull", "beitv2-base", "--out", file)
	if got, err := os.ReadFile(file); status != statusOK || errOut != "fetching beitv2-base, 4 MB, to "+file+"; 3 MB came before\n" || err != nil || string(got) != text {
		t.Errorf("status %d: %s; %d bytes, %v", status, errOut, len(got), err)
	}
}

// Without a network the message says what to do.
func TestPullWithoutNetwork(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pth")
	cached := filepath.Join(os.Getenv(model.CacheEnv), "beitv2_base_patch16_224_pt1k.pth")
	for _, c := range []struct{ args, at string }{{"pull beitv2-base --out " + file, file}, {"pull beitv2-base", cached}, {"embed beitv2-base x", cached}} {
		status, _, errOut := beitRun(t, strings.Fields(c.args)...)
		if status != statusFailure || !strings.Contains(errOut, "put it at "+c.at) || strings.Count(errOut, "https://") != 1 || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%s: status %d: %s", c.args, status, errOut)
		}
	}
}

// A published model is fetched when it is used first, and taken from the cache later.
func TestPublishedNames(t *testing.T) {
	images := t.TempDir()
	writeImages(t, images, map[string]int{"a": 6})
	one, err := filepath.Glob(filepath.Join(images, "a", "*", "*.png"))
	if err != nil || len(one) != 6 {
		t.Fatal(one, err)
	}
	asked := publish(t, map[string]string{
		"dino_vitbase16_pretrain.pth": dinoFile(t), "beitv2_base_patch16_224_pt1k_ft1k.pth": classifierFile(t, "classifier.pth", 1),
	})
	for i, args := range [][]string{
		{"similar", "dino-vitb16", one[0], images}, {"embed", "dino-vitb16", one[0], one[1]}, {"verify", "dino-vitb16"}, {"inspect", "DINO-vitb16"},
		{"convert", "dino-vitb16", filepath.Join(t.TempDir(), "x.safetensors"), "--to", "hf"},
		{"predict", "beitv2-base-ft1k", images},
		{"finetune", "--init-from", "beitv2-base-ft1k", "--data", images, "--dry-run", "--val-fraction", "0.2"},
	} {
		status, _, errOut := beitRun(t, args...)
		if fetches := i == 0 || i == 5; status != statusOK || strings.Contains(errOut, "fetching ") != fetches {
			t.Errorf("%q: status %d: %s", args, status, errOut)
		}
	}
	if want := []string{"dino_vitbase16_pretrain.pth", "beitv2_base_patch16_224_pt1k_ft1k.pth"}; !slices.Equal(*asked, want) {
		t.Errorf("asked for %q, want %q", *asked, want)
	}
}

// What a command cannot use is not fetched.
func TestPublishedOfAnotherKind(t *testing.T) {
	asked := publish(t, nil)
	for args, want := range map[string]string{
		"similar clip-vitb16 x y":          "clip-vitb16 holds a CLIP, wanted is a backbone or classifier",
		"predict dino-vitb16 x":            "dino-vitb16 holds a DINO, wanted is a classifier",
		"tokenizer eval beitv2-base x":     "wanted is a tokenizer",
		"probe knn beitv2-base-ftade20k x": "beitv2-base-ftade20k holds a segmenter",
		"eval dino-vitb61 x":               `did you mean "dino-vitb16"`,
	} {
		status, _, errOut := beitRun(t, strings.Fields(args)...)
		if status != statusFailure || !strings.Contains(errOut, want) || len(*asked) > 0 || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%s: status %d, %s; asked for %q", args, status, errOut, *asked)
		}
	}
}

// A published name stays one in a run's configuration: the run finds the file in whatever cache there is.
func TestPublishedTeacher(t *testing.T) {
	publish(t, map[string]string{"dino_vitbase16_pretrain.pth": dinoFile(t)})
	for _, teacher := range []string{"dino", "dino-vitb16"} {
		dir := filepath.Join(t.TempDir(), "run")
		args := slices.Concat([]string{"tokenizer", "train", "--data", "procedural:20", "--out", dir, "--teacher", teacher}, tiny,
			assign("tokenizer.model.encoder.image_size=32", "tokenizer.model.encoder.patch_size=8", "tokenizer.model.target_dim=64"))
		mustRun(t, args...)
		text, err := os.ReadFile(filepath.Join(dir, "config.toml"))
		if err != nil || !bytes.Contains(text, []byte("teacher = \"dino\"\n")) || !bytes.Contains(text, []byte("teacher_file = \"dino-vitb16\"\n")) {
			t.Errorf("--teacher %s: %v\n%s", teacher, err, text)
		}
		status, _, errOut := beitRun(t, "tokenizer", "eval", dir)
		if status != statusOK || !strings.Contains(errOut, "the images are those of the model's run: procedural:20") {
			t.Errorf("status %d: %s", status, errOut)
		}
	}
}
