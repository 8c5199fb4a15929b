package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/state"
)

func TestNotFinite(t *testing.T) {
	tok := tokenizerRun(t)
	for _, c := range []struct {
		stage Stage
		param string // poisoned before an update
		want  string
	}{
		{Tokenizer, "encoder.blocks.1.mlp.fc1.weight", "parameter encoder.blocks.1.mlp.fc1.weight, element 3"},
		{Tokenizer, "encode_task_layer.2.bias", "parameter encode_task_layer.2.bias, element 3"},
		{Teacher, "student.norm.bias", "parameter student.norm.bias, element 3"},
		{Teacher, "norm.bias", "parameter norm.bias, element 3"},
		{Pretrain, "norm.bias", "parameter norm.bias, element 3"},
	} {
		t.Run(c.param, func(t *testing.T) {
			set := []string{"log.checkpoint=2"}
			if c.stage == Pretrain {
				set = append(set, "pretrain.tokenizer="+tok)
			}
			dir := filepath.Join(t.TempDir(), "run")
			r, err := newRun(dir, tiny(t, c.stage, set...), Env{}, state.WriteFileAtomic)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			r.env.Reporter = watcher(func(p Progress) {
				if p.Phase != "train" || p.Done != 3 {
					return
				}
				v := r.task.set().Lookup(c.param).Value
				x := v.Float32s()
				x[3] = float32(math.NaN())
				v.Upload(x)
			})
			_, err = r.fresh(context.Background())
			if !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "update 4 in epoch 1") {
				t.Fatalf("error %v, want %q in update 4", err, c.want)
			}
			if list, _ := checkpoints(dir); len(list) != 1 || !strings.HasSuffix(list[0], "step-000000002.safetensors") {
				t.Errorf("checkpoints %v, want that of update 2", list)
			}
		})
	}
}

// TestNotFiniteInside has overflow arise on the way, from finite parameters.
func TestNotFiniteInside(t *testing.T) {
	r, err := newRun(filepath.Join(t.TempDir(), "run"), tiny(t, Tokenizer), Env{}, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	r.env.Reporter = watcher(func(p Progress) {
		if p.Phase == "train" && p.Done == 1 {
			r.task.set().Lookup("encoder.blocks.0.mlp.fc2.weight").Value.Fill(3e38)
		}
	})
	_, err = r.fresh(context.Background())
	if !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), "output of encoder.blocks.0") {
		t.Fatalf("error %v, want one about encoder.blocks.0", err)
	}
}

func TestErrors(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		name  string
		stage Stage
		set   []string
		want  string
		is    error
	}{
		{"missing folder", Tokenizer, []string{"data.path=" + filepath.Join(empty, "nothing")}, "nothing", fs.ErrNotExist},
		{"empty folder", Tokenizer, []string{"data.path=" + empty}, empty, data.ErrNoImages},
		{"no path", Tokenizer, []string{"data.path="}, "data.path", nil},
		{"no number", Tokenizer, []string{"data.path=procedural:many"}, "procedural:N", nil},
		{"small drawn pictures", Tokenizer, []string{"tokenizer.model.encoder.image_size=4"}, "image_size of at least 8", nil},
		{"too many pictures", Tokenizer, []string{"data.path=procedural:99999999999"}, "procedural:N", nil},
		{"published teacher", Tokenizer, []string{"tokenizer.teacher=clip"}, "tokenizer.teacher_file", nil},
		{"no tokenizer", Pretrain, nil, "pretrain.tokenizer", nil},
		{"missing tokenizer", Pretrain, []string{"pretrain.tokenizer=" + filepath.Join(empty, "gone")}, "gone", fs.ErrNotExist},
		{"no run", Pretrain, []string{"pretrain.tokenizer=" + empty}, "checkpoint", nil},
		{"missing start", Tokenizer, []string{"init_from=" + filepath.Join(empty, "gone")}, "init_from", fs.ErrNotExist},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			_, err := Run(context.Background(), dir, tiny(t, c.stage, c.set...), Env{})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %v, want one line with %q", err, c.want)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("a run that could not begin left its folder")
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v does not wrap %v", err, c.is)
			}
		})
	}
}

func TestOtherPatchesThanTheTokenizers(t *testing.T) {
	cfg := tiny(t, Pretrain, "pretrain.tokenizer="+tokenizerRun(t), "pretrain.model.vit.patch_size=8", "pretrain.mask.count=2")
	_, err := Run(context.Background(), filepath.Join(t.TempDir(), "run"), cfg, Env{})
	if err == nil || !strings.Contains(err.Error(), "4 x 4") || !strings.Contains(err.Error(), "2 x 2") {
		t.Errorf("error %v, want both grids", err)
	}
}

func TestFewPictures(t *testing.T) {
	for _, c := range []struct{ pictures, batch, accum, wantBatch, wantAccum int }{
		{5, 8, 1, 5, 1},
		{5, 8, 4, 4, 2},
		{1, 8, 2, 1, 1},
		{40, 8, 2, 8, 2},
	} {
		cfg := tiny(t, Tokenizer, "train.epochs=1")
		cfg.Train.Batch, cfg.Train.Accum = c.batch, c.accum
		s := &stopper{}
		dir := filepath.Join(t.TempDir(), "run")
		res, err := Run(context.Background(), dir, cfg, Env{Reporter: s, Source: &data.Source{Train: data.Procedural(c.pictures, 16, 1)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Config.Train; got.Batch != c.wantBatch || got.Accum != c.wantAccum || res.Steps != c.pictures/c.wantBatch {
			t.Errorf("%+v: batch %d in %d parts, %d updates", c, got.Batch, got.Accum, res.Steps)
		}
		if told := strings.Contains(strings.Join(s.notices, "\n"), "the batch shrinks"); told != (c.wantBatch != c.batch) {
			t.Errorf("%+v: notices %q", c, s.notices)
		}
		if res.Final.Kind != KindEpoch {
			t.Errorf("without validation pictures the final record is %+v", res.Final)
		}
	}
}

func TestTimeBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains several models")
	}
	cfg := tiny(t, Tokenizer, "train.time_budget=700ms", "log.every=1000")
	dir := filepath.Join(t.TempDir(), "run")
	s := &stopper{}
	began := time.Now()
	res, err := Run(context.Background(), dir, cfg, Env{Reporter: s})
	if err != nil {
		t.Fatal(err)
	}
	epochs := res.Config.Train.Epochs
	if epochs < 1 || res.Steps != epochs*5 || time.Since(began) > 20*time.Second {
		t.Errorf("%d epochs, %d updates in %s", epochs, res.Steps, time.Since(began))
	}
	if !strings.Contains(strings.Join(s.notices, "\n"), "time budget 700ms") {
		t.Errorf("notices %q", s.notices)
	}
	// The run is that of as many epochs without a budget.
	plain := tiny(t, Tokenizer, "log.every=1000")
	plain.Train.Epochs = epochs
	other := filepath.Join(t.TempDir(), "run")
	if _, err := Run(context.Background(), other, plain, Env{}); err != nil {
		t.Fatal(err)
	}
	a, b := contents(t, dir, Tokenizer), contents(t, other, Tokenizer)
	if a["metrics"] != b["metrics"] {
		t.Errorf("metrics differ from those of %d epochs without a budget", epochs)
	}
	text, err := os.ReadFile(filepath.Join(dir, configFile))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := parseConfig(text, "config"); err != nil || c.Train.Epochs != epochs {
		t.Errorf("config.toml has %d epochs, error %v", c.Train.Epochs, err)
	}
}

func TestInitFrom(t *testing.T) {
	first := tokenizerRun(t)
	cfg := tiny(t, Tokenizer, "init_from="+first, "train.epochs=1", "train.lr=0", "train.min_lr=0", "tokenizer.model.decay=1", "tokenizer.reseed=false")
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := Run(context.Background(), dir, cfg, Env{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"encoder.patch_embed.proj.weight", "decode_task_layer.2.bias", "quantize.embedding.weight"} {
		values := func(dir string) []float32 {
			f, err := state.OpenSafetensors(filepath.Join(dir, "tokenizer.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			v, err := f.Float32s(name)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		a, b := values(first), values(dir)
		for i := range a {
			if math.Abs(float64(a[i]-b[i])) > 1e-6 { // the codebook is normalised again
				t.Fatalf("%s: element %d was %g, and is %g after a run without a learning rate", name, i, a[i], b[i])
			}
		}
	}
}

// spoiled is a dataset some of whose pictures cannot be read.
type spoiled struct {
	data.Dataset
	bad func(i int) bool
}

func (s spoiled) Name(i int) string { return fmt.Sprintf("picture-%d", i) }

func (s spoiled) Sample(i int) (data.Sample, error) {
	if s.bad(i) {
		return data.Sample{}, fmt.Errorf("%s: spoiled", s.Name(i))
	}
	return s.Dataset.Sample(i)
}

func TestUnreadablePictures(t *testing.T) {
	source := func(bad func(i int) bool) *data.Source {
		return &data.Source{Train: spoiled{data.Procedural(40, 16, 1), bad}, Val: spoiled{data.Procedural(10, 16, 2), func(int) bool { return false }}}
	}
	s := &stopper{}
	few := func(i int) bool { return i == 7 || i == 21 }
	res, err := Run(context.Background(), filepath.Join(t.TempDir(), "run"), tiny(t, Tokenizer), Env{Source: source(few), Reporter: s})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(s.warnings, "\n")
	if res.Unreadable != 2 || strings.Count(all, "picture-7:") != 1 || strings.Count(all, "picture-21:") != 1 {
		t.Errorf("%d unreadable pictures, warnings:\n%s", res.Unreadable, all)
	}
	many := func(i int) bool { return i%2 == 0 }
	if _, err = Run(context.Background(), filepath.Join(t.TempDir(), "run"), tiny(t, Tokenizer), Env{Source: source(many)}); err == nil || !strings.Contains(err.Error(), "unreadable") {
		t.Errorf("half of the pictures unreadable: error %v", err)
	}
	cfg := tiny(t, Tokenizer, "data.unreadable=0.9")
	if _, err = Run(context.Background(), filepath.Join(t.TempDir(), "run"), cfg, Env{Source: source(many)}); err != nil {
		t.Errorf("half of the pictures unreadable, 0.9 allowed: %v", err)
	}
}

// TestUnreadableValidation: when no validation picture can be read the run stops, and goes on from the end of the epoch once they can.
func TestUnreadableValidation(t *testing.T) {
	cfg := tiny(t, Tokenizer)
	source := func(bad bool) *data.Source {
		return &data.Source{Train: data.Procedural(40, 16, 1), Val: spoiled{data.Procedural(10, 16, 2), func(int) bool { return bad }}}
	}
	whole, dir := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
	if _, err := Run(context.Background(), whole, cfg, Env{Source: source(false)}); err != nil {
		t.Fatal(err)
	}
	_, err := Run(context.Background(), dir, cfg, Env{Source: source(true)})
	var unreadable *data.UnreadableError
	if !errors.As(err, &unreadable) || unreadable.Failed != unreadable.Read || !strings.Contains(err.Error(), "validation") {
		t.Fatalf("error %v, want one about validation pictures", err)
	}
	if list, _ := checkpoints(dir); len(list) != 1 || !strings.HasSuffix(list[0], "step-000000005.safetensors") {
		t.Errorf("checkpoints %v, want that of the epoch's end", list)
	}
	if _, err := Resume(context.Background(), dir, Env{Source: source(false)}, nil); err != nil {
		t.Fatal(err)
	}
	if d := differing(contents(t, whole, Tokenizer), contents(t, dir, Tokenizer)); d != nil {
		t.Errorf("different %v", d)
	}
}
