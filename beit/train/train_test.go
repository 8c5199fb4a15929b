package train

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

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// tiny configures a run that takes a fraction of a second: pictures of 16 in 4 x 4 patches, width 32, two blocks, 32 codes.
func tiny(t *testing.T, stage Stage, set ...string) Config {
	t.Helper()
	all := []string{
		"data.path=procedural:40", "data.augment=crop", "data.eval.batch=4", "train.batch=8", "train.epochs=2", "log.every=2", "log.keep=2",
	}
	vit := func(table string) {
		for _, kv := range []string{"image_size=16", "patch_size=4", "width=32", "depth=2", "heads=2"} {
			all = append(all, table+kv)
		}
	}
	switch stage {
	case Tokenizer:
		vit("tokenizer.model.encoder.")
		all = append(all, "tokenizer.model.decoder.width=32", "tokenizer.model.decoder.heads=2", "tokenizer.model.codes=32",
			"tokenizer.model.code_dim=8", "tokenizer.kmeans_tokens=300")
	case Teacher:
		vit("teacher.model.vit.")
		all = slices.DeleteFunc(all, func(s string) bool { return s == "data.augment=crop" })
		all = append(all, "teacher.model.hidden=24", "teacher.model.bottleneck=8", "teacher.model.outputs=32", "teacher.crops.small=2",
			"teacher.crops.small_size=8", "teacher.temp_epochs=1", "teacher.model.start_temp=0.06")
	case Finetune:
		vit("finetune.model.")
		all = append(all, "finetune.rand_magnitude=9", "finetune.rand_ops=2", "finetune.erase=0.25", "finetune.model.drop_path=0.2")
	default:
		vit("pretrain.model.vit.")
		all = append(all, "pretrain.model.early_layer=1", "pretrain.mask.count=6", "pretrain.mask.min_block=4",
			"pretrain.model.vit.drop_path=0.2")
	}
	cfg, err := Configure(stage, "small32", "", append(all, set...))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// tokenizerRun trains a tokenizer for pretraining to use.
func tokenizerRun(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tokenizer")
	if _, err := Run(context.Background(), dir, tiny(t, Tokenizer), Env{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// stopper cancels a run's context after an update, and keeps what it hears.
type stopper struct {
	after    int // updates; 0: never
	phase    string
	cancel   context.CancelFunc
	notices  []string
	warnings []string
}

func (s *stopper) Progress(p Progress) {
	if p.Phase == s.phase && p.Done == s.after {
		s.cancel()
	}
}
func (s *stopper) Record(Record)    {}
func (s *stopper) Notice(m string)  { s.notices = append(s.notices, m) }
func (s *stopper) Warning(m string) { s.warnings = append(s.warnings, m) }

// stopped runs f, which must be interrupted once phase has done so much.
func stopped(t *testing.T, phase string, after int, f func(ctx context.Context, env Env) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := f(ctx, Env{Reporter: &stopper{phase: phase, after: after, cancel: cancel}}); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("stopped in %s after %d: error %v, want ErrInterrupted", phase, after, err)
	}
}

// contents is what two runs are compared by: the newest checkpoint, the model, and the stable part of the metrics.
func contents(t *testing.T, dir string, stage Stage) map[string]string {
	t.Helper()
	list, err := checkpoints(dir)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d checkpoints, error %v", len(list), err)
	}
	out := map[string]string{}
	for name, path := range map[string]string{"checkpoint": list[len(list)-1], "model": filepath.Join(dir, stage.modelName())} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = filepath.Base(path) + string(text)
	}
	records, err := ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		text, err := r.Stable().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		out["metrics"] += string(text) + "\n"
	}
	return out
}

// differing lists the parts in which two runs differ.
func differing(a, b map[string]string) []string {
	var parts []string
	for k := range a {
		if a[k] != b[k] {
			parts = append(parts, k)
			if k == "metrics" {
				parts = append(parts, cmp.Diff(strings.Split(a[k], "\n"), strings.Split(b[k], "\n")))
			}
		}
	}
	slices.Sort(parts)
	return parts
}

func TestTokenizerRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	res, err := Run(context.Background(), dir, tiny(t, Tokenizer), Env{})
	if err != nil {
		t.Fatal(err)
	}
	records, err := ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, r := range records {
		kinds = append(kinds, fmt.Sprintf("%s %d/%d", r.Kind, r.Epoch, r.Step))
	}
	want := []string{"step 1/2", "step 1/4", "epoch 1/5", "val 1/5", "step 2/6", "step 2/8", "step 2/10", "epoch 2/10", "val 2/10"}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Errorf("records (-want +got):\n%s", d)
	}
	if res.Final.Kind != KindVal || res.Final.Values["rec_loss"] <= 0 || res.Final.Values["rec_loss"] >= 1.2 {
		t.Errorf("final record %+v", res.Final)
	}
	for _, key := range []string{"loss", "rec_loss", "quant_loss", "lr", "grad_norm", "codes_used", "perplexity", "img_per_s", "data_wait", "memory_mb"} {
		if _, ok := records[0].Values[key]; !ok {
			t.Errorf("step record lacks %s: %+v", key, records[0])
		}
	}
	if v, ok := records[2].Values["codes_unused"]; !ok || v < 0 || v > 31 {
		t.Errorf("epoch record %+v", records[2])
	}
	tok, err := LoadTokenizer(tensor.CPU(), dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := openPictures(res.Config, nil)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := EvalTokenizer(context.Background(), tok, p.train, p.val, res.Config.Data.Eval, Env{})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Reconstruction != res.Final.Values["rec_loss"] || float64(rep.Used) != res.Final.Values["codes_used"] {
		t.Errorf("evaluation %+v, the run's last validation %+v", rep, res.Final)
	}
	if !(rep.KMeans < rep.Constant) || rep.KMeans <= 0 {
		t.Errorf("marks: k-means %g, constant %g", rep.KMeans, rep.Constant)
	}
	codes, err := EncodeDataset(context.Background(), tok, p.val, res.Config.Data.Eval, Env{})
	if err != nil {
		t.Fatal(err)
	}
	if use := UseOf(codes, 32); len(codes) != p.val.Len()*16 || use != rep.CodeUse {
		t.Errorf("%d codes with use %+v, want %d with %+v", len(codes), use, p.val.Len()*16, rep.CodeUse)
	}
	first, warned := codes[:16], &stopper{}
	codes, err = EncodeDataset(context.Background(), tok, spoiled{p.val, func(i int) bool { return i > 0 }}, res.Config.Data.Eval, Env{Reporter: warned})
	if err != nil || !slices.Equal(codes[:16], first) || slices.Max(codes[16:]) != -1 || len(warned.warnings) != p.val.Len()-1 {
		t.Errorf("all pictures but one unreadable: codes %v, %d warnings, error %v", codes, len(warned.warnings), err)
	}
	if _, err := EncodeDataset(context.Background(), tok, spoiled{p.val, func(int) bool { return true }}, res.Config.Data.Eval, Env{}); err == nil {
		t.Error("encoded pictures that cannot be read")
	}
	if _, err := LoadBackbone(tensor.CPU(), dir); err == nil || !strings.Contains(err.Error(), "backbone.safetensors") && !strings.Contains(err.Error(), "stage") {
		t.Errorf("a tokenizer loaded as a backbone: error %v", err)
	}
	if list, _ := checkpoints(dir); len(list) != 2 {
		t.Errorf("%d checkpoints kept, want 2", len(list))
	}
}

func TestPretrainRun(t *testing.T) {
	tok := tokenizerRun(t)
	for _, c := range []struct {
		name       string
		set        []string
		have, lack []string
	}{
		{
			"codes", nil,
			[]string{"loss", "loss_1", "loss_2", "mlm_acc_1", "mlm_acc_2", "loss_swap", "unigram_entropy", "copy_acc"}, nil,
		},
		{"plain", []string{"pretrain.model.head_layers=0"}, []string{"loss_1", "mlm_acc_1"}, []string{"loss_2", "loss_swap", "mlm_acc_2"}},
		{"features", []string{"pretrain.target=features"}, []string{"loss_1", "loss_2"}, []string{"mlm_acc_1", "unigram_entropy"}},
		{"shuffled", []string{"pretrain.shuffle_codes=true"}, []string{"loss_1", "unigram_entropy"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			cfg := tiny(t, Pretrain, append(c.set, "pretrain.tokenizer="+tok, "train.epochs=1")...)
			res, err := Run(context.Background(), dir, cfg, Env{})
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range c.have {
				if v, ok := res.Final.Values[key]; !ok || v < 0 {
					t.Errorf("validation lacks %s: %+v", key, res.Final)
				}
			}
			for _, key := range c.lack {
				if _, ok := res.Final.Values[key]; ok {
					t.Errorf("validation has %s: %+v", key, res.Final)
				}
			}
			b, err := LoadBackbone(tensor.CPU(), res.Model)
			if err != nil {
				t.Fatal(err)
			}
			if b.Set.Count() == 0 || b.Config.Stage != Pretrain {
				t.Errorf("loaded %d parameters of stage %s", b.Set.Count(), b.Config.Stage)
			}
		})
	}
}

func TestRunTeacher(t *testing.T) {
	tok := tokenizerRun(t)
	back := filepath.Join(t.TempDir(), "backbone")
	if _, err := Run(context.Background(), back, tiny(t, Pretrain, "pretrain.tokenizer="+tok, "train.epochs=1"), Env{}); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(t.TempDir(), "second")
	res, err := Run(context.Background(), second, tiny(t, Tokenizer, "tokenizer.teacher=run", "tokenizer.teacher_run="+back, "train.epochs=1"), Env{})
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Config.Tokenizer.Model.TargetDim; got != 32 {
		t.Errorf("target_dim = %d, want the teacher's width 32", got)
	}
}

func TestMemoryIsFlat(t *testing.T) {
	stages := map[Stage][]string{Tokenizer: nil, Teacher: nil, Pretrain: {"pretrain.tokenizer=" + tokenizerRun(t)}}
	for stage, set := range stages {
		held := map[int]int64{}
		cfg := tiny(t, stage, append(set, "train.epochs=8", "log.eval_every=100", "data.val_fraction=0")...)
		// A device of its own: on the shared one, what other tests left behind may be freed in the meantime.
		dev := tensor.CPULevel(tensor.CPULevels()[0])
		r, err := newRun(t.TempDir(), cfg, Env{Device: dev, Source: &data.Source{Train: data.Procedural(40, 16, 1)}}, state.WriteFileAtomic)
		if err != nil {
			t.Fatal(err)
		}
		r.env.Reporter = watcher(func(p Progress) {
			if p.Phase == "train" {
				held[p.Done] = r.dev.MemStats().InUse
			}
		})
		if _, err := r.fresh(context.Background()); err != nil {
			t.Fatal(err)
		}
		r.close()
		// The optimizer's moments and the readings of one update are there from the first step on; the reseeder's ring fills until step 8.
		if held[9] != held[39] {
			t.Errorf("%s: %d bytes in use after update 9, %d after update 39", stage, held[9], held[39])
		}
	}
}

type watcher func(p Progress)

func (w watcher) Progress(p Progress) { w(p) }
func (watcher) Record(Record)         {}
func (watcher) Notice(string)         {}
func (watcher) Warning(string)        {}
