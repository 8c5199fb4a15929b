package tokenizer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

// built opens a tokenizer for use until the end of the test.
func built(t *testing.T, path string) *tokenizer.Trained {
	t.Helper()
	tok, err := tokenizer.Build(tensor.CPU(), runtest.Open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tok.Set.Release)
	return tok
}

func TestRecordsOfARun(t *testing.T) {
	res := runtest.Train(t, tokenizer.Method, runtest.Tiny(t, tokenizer.Method), train.Env{})
	records := traintest.Metrics(t, res.Dir)
	var kinds []string
	for _, r := range records {
		kinds = append(kinds, fmt.Sprintf("%s %d/%d", r.Kind, r.Epoch, r.Step))
	}
	want := []string{"step 1/2", "step 1/4", "epoch 1/5", "val 1/5", "step 2/6", "step 2/8", "step 2/10", "epoch 2/10", "val 2/10"}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Errorf("records (-want +got):\n%s", d)
	}
	if res.Final.Kind != run.KindVal || res.Final.Values["loss_reconstruction"] <= 0 || res.Final.Values["loss_reconstruction"] >= 1.2 {
		t.Errorf("final record %+v", res.Final)
	}
	for _, key := range []string{
		"loss", "loss_reconstruction", "loss_commitment", "lr", "grad_norm", "codes_used", "perplexity", "img_per_s", "data_time", "memory_mb",
	} {
		if _, ok := records[0].Values[key]; !ok {
			t.Errorf("step record lacks %s: %+v", key, records[0])
		}
	}
	if v, ok := records[2].Values["codes_unused"]; !ok || v < 0 || v > 31 {
		t.Errorf("epoch record %+v", records[2])
	}
	if list := traintest.Checkpoints(t, res.Dir); len(list) != 2 {
		t.Errorf("%d checkpoints kept, want 2", len(list))
	}
}

// The file of a finished tokenizer gives the figures of the run's last validation.
// A run looks at as many images before its first step as PreparationImages says, but for what fills the last batch.
func TestPreparationImages(t *testing.T) {
	c := runtest.Tiny(t, tokenizer.Method)
	batches := 0
	runtest.Train(t, tokenizer.Method, c, train.Env{Reporter: &traintest.Reporter{OnProgress: func(p method.Progress) {
		if (p.Phase == "teacher" || p.Phase == "k-means") && p.Done > 0 {
			batches++
		}
	}}})
	want := tokenizer.PreparationImages(c, 40)
	if got := batches * c.Train.Batch; got < want || got >= want+2*c.Train.Batch {
		t.Errorf("%d images in %d batches, said were %d", got, batches, want)
	}
	if many := tokenizer.PreparationImages(c, 1e6); many >= 1e4 {
		t.Errorf("%d of a million images", many)
	}
}

func TestFinishedTokenizer(t *testing.T) {
	ctx, m := context.Background(), tokenizer.Method
	res := runtest.Train(t, m, runtest.Tiny(t, m), train.Env{})
	tok := built(t, res.Dir)
	teacher, err := tok.OpenTeacher(model.Opener())
	if err != nil {
		t.Fatal(err)
	}
	env := traintest.Env(t, m, res.Config, nil)
	rep, err := tokenizer.Evaluate(ctx, env, tok.VQKD, teacher)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Reconstruction != res.Final.Values["loss_reconstruction"] || float64(rep.Used) != res.Final.Values["codes_used"] {
		t.Errorf("evaluation %+v, the run's last validation %+v", rep, res.Final)
	}
	if !(rep.KMeans < rep.Constant) || rep.KMeans <= 0 {
		t.Errorf("baselines: k-means %g, constant %g", rep.KMeans, rep.Constant)
	}
	var skipped []string
	encode := func(ds data.Dataset) ([]int32, error) {
		skipped = nil
		return tok.Encode(ctx, ds, res.Config.Data.Eval, func(s data.Skipped) { skipped = append(skipped, s.Name) }, func(int, int) {})
	}
	codes, err := encode(env.Val)
	if err != nil {
		t.Fatal(err)
	}
	if use := beit.UsageOf(codes, 32); len(codes) != env.Val.Len()*16 || use != rep.CodeUsage {
		t.Errorf("%d codes with use %+v, want %d with %+v", len(codes), use, env.Val.Len()*16, rep.CodeUsage)
	}
	first := codes[:16]
	codes, err = encode(traintest.Spoiled{Dataset: env.Val, Bad: func(i int) bool { return i > 0 }})
	if err != nil || !slices.Equal(codes[:16], first) || slices.Max(codes[16:]) != -1 || len(skipped) != env.Val.Len()-1 {
		t.Errorf("all images but one unreadable: codes %v, %d skipped, error %v", codes, len(skipped), err)
	}
	if _, err := encode(traintest.Spoiled{Dataset: env.Val, Bad: func(int) bool { return true }}); err == nil {
		t.Error("encoded images that cannot be read")
	}
}

// A tokenizer is no classifier of images and no backbone, and the other way round.
func TestOtherModelThanATokenizer(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	back := runtest.Folder(t, pretrain.Method, "pretrain.tokenizer="+tok, "train.epochs=1")
	_, err := tokenizer.Build(tensor.CPU(), runtest.Open(t, back))
	if err == nil || !strings.Contains(err.Error(), "holds a masked image model, wanted is a tokenizer") {
		t.Errorf("error %v", err)
	}
	cfg := runtest.Tiny(t, pretrain.Method, "pretrain.tokenizer="+back)
	if _, err := train.Run(context.Background(), t.TempDir(), pretrain.Method, cfg, train.Env{Open: model.Opener()}); err == nil ||
		!strings.Contains(err.Error(), "pretrain.tokenizer: ") || !strings.Contains(err.Error(), "wanted is a tokenizer") {
		t.Errorf("pretraining with a backbone as its tokenizer: error %v", err)
	}
}

func TestTaughtByARun(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	back := runtest.Folder(t, pretrain.Method, "pretrain.tokenizer="+tok, "train.epochs=1")
	cfg := runtest.Tiny(t, tokenizer.Method, "tokenizer.teacher=run", "tokenizer.teacher_run="+back, "train.epochs=1")
	res := runtest.Train(t, tokenizer.Method, cfg, train.Env{})
	if got := tokenizer.SectionOf(res.Config).Model.TargetDim; got != 32 {
		t.Errorf("target_dim = %d, want the teacher's width 32", got)
	}
}
