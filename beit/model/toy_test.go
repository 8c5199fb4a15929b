package model_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/toytest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// toyConfig is a small configuration of the toy method.
func toyConfig(t *testing.T, set ...string) *config.Config {
	t.Helper()
	return traintest.TinyFrom(t, toytest.Method, toyOpener(), append([]string{"toy.network.image_size=16", "toy.network.width=16"}, set...)...)
}

// toyOpener opens models of the toy method too.
func toyOpener() method.Opener {
	return model.Opener(model.With(toytest.Method))
}

// toyRun trains a configuration of the toy method in a new folder.
func toyRun(t *testing.T, c *config.Config, env train.Env) *train.Result {
	t.Helper()
	env.Open = toyOpener()
	res, err := train.Run(context.Background(), filepath.Join(t.TempDir(), "run"), toytest.Method, c, env)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// A method that nobody lists is configured and explained like any other.
func TestToyConfig(t *testing.T) {
	c := toyConfig(t)
	help := map[string]string{}
	for _, e := range c.Explain() {
		if help[e.Key] = e.Help; e.Help == "" {
			t.Errorf("%s has no help", e.Key)
		}
	}
	if help["toy.noise"] == "" || help["toy.network.patch_size"] == "" {
		t.Errorf("keys are %v", c.Keys())
	}
	list := append(model.Methods(), toytest.Method)
	m, read, err := list.Read(c.TOML(), "config")
	if err != nil || m != toytest.Method || !config.Equal(c, read) {
		t.Errorf("read as %v, error %v", m, err)
	}
	for set, want := range map[string]string{
		"toy.network.patch_size=5": "must be a multiple", "toy.noise=2": "toy.noise = 2: must be in [0, 1]", "toy.nois=1": "did you mean toy.noise?",
	} {
		if _, _, err := toytest.Method.Configure("", "", []string{set}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", set, err, want)
		}
	}
}

// It is trained, interrupted and resumed with the same bytes.
func TestToyResume(t *testing.T) {
	m := toytest.Method
	c := toyConfig(t, "train.accumulation_steps=2", "log.every=3", "train.epochs=3")
	whole := toyRun(t, c, train.Env{}).Dir
	want := traintest.Contents(t, whole, m)
	for _, after := range []int{1, 7, 10} {
		dir := filepath.Join(t.TempDir(), "run")
		ctx, cancel := context.WithCancel(context.Background())
		stop := &traintest.Reporter{OnProgress: func(p method.Progress) {
			if p.Phase == "train" && p.Done == after {
				cancel()
			}
		}}
		if _, err := train.Run(ctx, dir, m, c, train.Env{Reporter: stop}); !errors.Is(err, train.ErrInterrupted) {
			t.Fatalf("stopped after step %d: error %v", after, err)
		}
		if _, err := train.Resume(context.Background(), dir, model.Methods(), train.Env{}, nil); err == nil || !strings.Contains(err.Error(), `method "toy" does not exist`) {
			t.Errorf("resumed by those who do not know it: error %v", err)
		}
		if _, err := train.Resume(context.Background(), dir, append(model.Methods(), m), train.Env{}, nil); err != nil {
			t.Fatal(err)
		}
		if d := traintest.Differing(want, traintest.Contents(t, dir, m)); d != nil {
			t.Errorf("stopped after step %d: different %v", after, d)
		}
	}
}

// Its metrics are in the records, and get better.
func TestToyRecords(t *testing.T) {
	res := toyRun(t, toyConfig(t, "train.epochs=8"), train.Env{})
	known := map[string]bool{}
	for _, x := range toytest.Method.AllMetrics() {
		known[x.Key] = true
	}
	keys := map[string][]string{}
	var psnr []float64
	for _, r := range traintest.Metrics(t, res.Dir) {
		for key := range r.Values {
			if !known[key] {
				t.Errorf("nothing describes %s", key)
			}
			if !slices.Contains(keys[r.Kind], key) {
				keys[r.Kind] = append(keys[r.Kind], key)
			}
		}
		if r.Kind == run.KindVal {
			psnr = append(psnr, r.Values["psnr"])
		}
		if seen, ok := r.Values["images_seen"]; ok && seen != float64(8*r.Step) {
			t.Errorf("%g images seen after step %d", seen, r.Step)
		}
	}
	for kind := range keys {
		slices.Sort(keys[kind])
	}
	want := map[string][]string{
		run.KindStep:  {"data_time", "flops", "grad_norm", "images_seen", "img_per_s", "loss", "loss_pixels", "lr", "memory_mb"},
		run.KindEpoch: {"data_time", "flops", "grad_norm", "img_per_s", "loss", "loss_pixels", "memory_mb"},
		run.KindVal:   {"loss_pixels", "psnr"},
	}
	if d := cmp.Diff(want, keys); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
	if !(psnr[len(psnr)-1] > psnr[0]+1) {
		t.Errorf("psnr %v", psnr)
	}
}

// What is in its run folder is told, its records are drawn, and its report is written.
func TestToyReport(t *testing.T) {
	res := toyRun(t, toyConfig(t), train.Env{})
	if _, err := model.InspectRun(res.Dir); err == nil {
		t.Error("told by those who do not know it")
	}
	info, err := model.InspectRun(res.Dir, model.With(toytest.Method))
	if err != nil {
		t.Fatal(err)
	}
	if info.Trained != toytest.Method || info.Model != res.Model || info.Status.State != run.StateFinished || info.Validation == nil || len(info.Warnings) > 0 {
		t.Errorf("%+v", info)
	}
	page, curves := filepath.Join(res.Dir, run.ReportFile), filepath.Join(res.Dir, "curves.png")
	shown, err := report.Read(res.Dir, model.With(toytest.Method))
	if err != nil {
		t.Fatal(err)
	}
	if err := report.HTML(page, "toy", shown); err != nil {
		t.Fatal(err)
	}
	if err := report.Curves(curves, info.Trained.AllMetrics(), info.Records); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"toy, preset small32", "reconstruction of pixels", "signal to noise", "[toy.network]"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

// Its model is opened by those who know it, in its run and as a checkpoint, and is an encoder like any other.
func TestToyOpen(t *testing.T) {
	res := toyRun(t, toyConfig(t), train.Env{})
	if _, err := model.Open(res.Dir); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("opened by those who do not know it: error %v", err)
	}
	if _, err := model.Open(res.Model); err == nil || !strings.Contains(err.Error(), `method "toy" does not exist`) {
		t.Errorf("opened by those who do not know it: error %v", err)
	}
	images := data.Procedural(60, 16, 3)
	features := func(e probe.Extractor) probe.Features {
		t.Helper()
		all, err := probe.Extract(context.Background(), cpu, images, probe.Pipeline(16), nil, e)
		if err != nil {
			t.Fatal(err)
		}
		return all[1] // of the mean
	}
	var want probe.Features
	for _, path := range []string{res.Dir, res.Model, traintest.Checkpoints(t, res.Dir)[1]} {
		m, err := model.Open(path, model.With(toytest.Method))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if d := cmp.Diff(toytest.Method.Card(res.Config), m.Card); d != "" || m.Method != toytest.Method || m.Kind != toytest.Kind || !m.Run {
			t.Errorf("card (-want +got):\n%s", d)
		}
		e, err := model.OpenEncoder(cpu, m)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Set.Release()
		if e.ViT.ImageSize != 16 || e.ViT.Grid() != 4 || e.ViT.Width != 16 || e.Norm != data.ImageNet {
			t.Errorf("%+v", e.ViT)
		}
		got := features(probe.Network(e.Encoder, e.Norm, probe.PoolCLS, probe.PoolMean))
		if want.X == nil {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: other features", path)
		}
		if h, err := model.Verify(cpu, e.Encoder, method.Input{Size: 16, Norm: e.Norm}); err != nil || len(h.Findings) != 0 || h.Output == "" {
			t.Errorf("%+v, error %v", h, err)
		}
		random, set, err := model.RandomEncoder(cpu, m, 7)
		if err != nil {
			t.Fatal(err)
		}
		defer set.Release()
		if cmp.Equal(want.X, features(probe.Network(random, e.Norm, probe.PoolCLS, probe.PoolMean)).X) {
			t.Error("random weights give the same features")
		}
	}
	knn, err := probe.KNN(context.Background(), cpu, want, want, 1, 0.07)
	if err != nil || knn.Top1 != 1 { // each image is its own neighbour
		t.Errorf("k-NN %+v, error %v", knn, err)
	}
}

// Its runs start from each other, and need as much memory as is estimated.
func TestToyStart(t *testing.T) {
	first := toyRun(t, toyConfig(t), train.Env{})
	want, _ := traintest.ModelTensors(t, first.Model)
	for _, path := range []string{first.Dir, first.Model, traintest.Checkpoints(t, first.Dir)[1]} {
		next := toyRun(t, toyConfig(t, "init_from="+path, "train.epochs=1", "train.lr=0", "train.min_lr=0", "seed=9"), train.Env{})
		got, _ := traintest.ModelTensors(t, next.Model)
		for i, n := range want {
			if !slices.Equal(n.Float32s, got[i].Float32s) {
				t.Errorf("from %s: %s moved without a learning rate", path, n.Name)
			}
		}
	}
	mem, err := train.EstimateMemory(context.Background(), toytest.Method, toyConfig(t), train.Env{})
	if err != nil || mem.Model == 0 || mem.Step == 0 || mem.Batch != 8 {
		t.Errorf("%+v, error %v", mem, err)
	}
}

// A run that diverges ends with the first tensor that is not finite: of a task that shows nothing on the way, the loss.
func TestToyDiverges(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c := toyConfig(t, "train.lr=1e36", "train.warmup_epochs=0", "train.clip=0")
	_, err := train.Run(context.Background(), dir, toytest.Method, c, train.Env{})
	if !errors.Is(err, train.ErrNotFinite) || !strings.Contains(err.Error(), "step 2 in epoch 1: loss, element 0, is ") {
		t.Errorf("error %v, want one about the loss of step 2", err)
	}
	if s, readErr := run.ReadStatus(dir); readErr != nil || s.State != run.StateFailed || s.Error != err.Error() {
		t.Errorf("status %+v, error %v", s, readErr)
	}
}

// Methods that need what it does not have say so.
func TestToyElsewhere(t *testing.T) {
	res := toyRun(t, toyConfig(t, "train.epochs=1"), train.Env{})
	_, _, err := finetune.Method.Configure("", "", []string{"init_from=" + res.Dir}, toyOpener())
	if want := fmt.Sprintf("init_from: %s: holds a toy, which no classifier starts from", res.Model); err == nil || err.Error() != want {
		t.Errorf("fine-tuned: error %v, want %s", err, want)
	}
	c := traintest.Tiny(t, tokenizer.Method, "tokenizer.teacher=run", "tokenizer.teacher_run="+res.Dir)
	_, err = train.Run(context.Background(), t.TempDir(), tokenizer.Method, c, train.Env{Open: toyOpener()})
	if err == nil || !strings.Contains(err.Error(), "holds a toy, wanted is a backbone") {
		t.Errorf("taught by it: error %v", err)
	}
}
