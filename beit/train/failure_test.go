package train

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
)

func TestNotFinite(t *testing.T) {
	tok := tokenizerRun(t)
	for _, c := range []struct {
		method *method.Method
		param  string // poisoned before a step
		want   string
	}{
		{tokenizer.Method, "encoder.blocks.1.mlp.fc1.weight", "parameter encoder.blocks.1.mlp.fc1.weight, element 3"},
		{tokenizer.Method, "encode_task_layer.2.bias", "parameter encode_task_layer.2.bias, element 3"},
		{dino.Method, "student.norm.bias", "parameter student.norm.bias, element 3"},
		{dino.Method, "norm.bias", "parameter norm.bias, element 3"},
		{pretrain.Method, "norm.bias", "parameter norm.bias, element 3"},
		{finetune.Method, "fc_norm.bias", "parameter fc_norm.bias, element 3"},
	} {
		t.Run(c.method.Name+" "+c.param, func(t *testing.T) {
			set := append([]string{"log.checkpoint=2"}, fromTokenizer(c.method, tok)...)
			dir := newDir(t)
			l, err := newLoop(t.Context(), dir, c.method, tiny(t, c.method, set...), opening(Env{}), state.WriteFileAtomic)
			if err != nil {
				t.Fatal(err)
			}
			l.reporter = &traintest.Reporter{OnProgress: func(p method.Progress) {
				if p.Phase != "train" || p.Done != 3 {
					return
				}
				v := l.task.Set().Lookup(c.param).Value
				x := v.Float32s()
				x[3] = float32(math.NaN())
				v.Upload(x)
			}}
			_, err = l.fresh(context.Background())
			l.close() // Windows keeps open files from being replaced
			if !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "step 4 in epoch 1") {
				t.Fatalf("error %v, want %q in step 4", err, c.want)
			}
			if list := traintest.Checkpoints(t, dir); len(list) != 1 || !strings.HasSuffix(list[0], "step-000000002.safetensors") {
				t.Errorf("checkpoints %v, want that of step 2", list)
			}
			// Without the damage, the run goes on from there.
			if s, err := run.ReadStatus(dir); err != nil || s.State != run.StateFailed || !strings.Contains(s.Error, c.want) {
				t.Errorf("status %+v, error %v", s, err)
			}
			mustResume(t, dir, Env{})
		})
	}
}

// TestNotFiniteInside has overflow arise on the way, from finite parameters.
func TestNotFiniteInside(t *testing.T) {
	m := tokenizer.Method
	l, err := newLoop(t.Context(), newDir(t), m, tiny(t, m), opening(Env{}), state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	l.reporter = &traintest.Reporter{OnProgress: func(p method.Progress) {
		if p.Phase == "train" && p.Done == 1 {
			l.task.Set().Lookup("encoder.blocks.0.mlp.fc2.weight").Value.Fill(3e38)
		}
	}}
	_, err = l.fresh(context.Background())
	if !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), "output of encoder.blocks.0") {
		t.Fatalf("error %v, want one about encoder.blocks.0", err)
	}
}

func TestErrors(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		name   string
		method *method.Method
		set    []string
		want   string
		is     error
	}{
		{"missing folder", tokenizer.Method, []string{"data.path=" + filepath.Join(empty, "nothing")}, "nothing", fs.ErrNotExist},
		{"empty folder", tokenizer.Method, []string{"data.path=" + empty}, empty, data.ErrNoImages},
		{"no path", tokenizer.Method, []string{"data.path="}, "data.path", nil},
		{"no number", tokenizer.Method, []string{"data.path=procedural:many"}, "procedural:N", nil},
		{"small synthetic images", tokenizer.Method, []string{"tokenizer.model.encoder.image_size=4"}, "image_size of at least 8", nil},
		{"too many images", tokenizer.Method, []string{"data.path=procedural:99999999999"}, "procedural:N", nil},
		{"published teacher", tokenizer.Method, []string{"tokenizer.teacher=clip"}, "tokenizer.teacher_file", nil},
		{"no tokenizer", pretrain.Method, nil, "pretrain.tokenizer", nil},
		{"missing tokenizer", pretrain.Method, []string{"pretrain.tokenizer=" + filepath.Join(empty, "gone")}, "gone", fs.ErrNotExist},
		{"no run", pretrain.Method, []string{"pretrain.tokenizer=" + empty}, "is not a run folder", nil},
		{"missing start", tokenizer.Method, []string{"init_from=" + filepath.Join(empty, "gone")}, "init_from", fs.ErrNotExist},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := newDir(t)
			_, err := Run(context.Background(), dir, c.method, tiny(t, c.method, c.set...), opening(Env{}))
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

// Who opens no models gets an error that names the key.
func TestNobodyOpensModels(t *testing.T) {
	_, err := Run(context.Background(), newDir(t), pretrain.Method, tiny(t, pretrain.Method, "pretrain.tokenizer=x"), Env{})
	if err == nil || !strings.Contains(err.Error(), "pretrain.tokenizer: x: nobody here opens models") {
		t.Errorf("error %v", err)
	}
}

func TestOtherPatchesThanTheTokenizers(t *testing.T) {
	cfg := tiny(t, pretrain.Method, "pretrain.tokenizer="+tokenizerRun(t), "pretrain.model.vit.patch_size=8", "pretrain.mask.count=2")
	_, err := Run(context.Background(), newDir(t), pretrain.Method, cfg, opening(Env{}))
	if err == nil || !strings.Contains(err.Error(), "4 x 4") || !strings.Contains(err.Error(), "2 x 2") {
		t.Errorf("error %v, want both grids", err)
	}
}

func TestFewImages(t *testing.T) {
	for _, c := range []struct{ images, batch, accum, wantBatch, wantAccum int }{
		{5, 8, 1, 5, 1},
		{5, 8, 4, 4, 2},
		{1, 8, 2, 1, 1},
		{40, 8, 2, 8, 2},
	} {
		cfg := tiny(t, tokenizer.Method, "train.epochs=1")
		cfg.Train.Batch, cfg.Train.AccumulationSteps = c.batch, c.accum
		heard := &traintest.Reporter{}
		res := trained(t, tokenizer.Method, cfg, Env{Reporter: heard, Source: &data.Source{Train: data.Procedural(c.images, 16, 1)}})
		if got := res.Config.Train; got.Batch != c.wantBatch || got.AccumulationSteps != c.wantAccum || res.Steps != c.images/c.wantBatch {
			t.Errorf("%+v: batch %d in %d parts, %d steps", c, got.Batch, got.AccumulationSteps, res.Steps)
		}
		if told := strings.Contains(strings.Join(heard.Notices, "\n"), "the batch shrinks"); told != (c.wantBatch != c.batch) {
			t.Errorf("%+v: notices %q", c, heard.Notices)
		}
		if res.Final.Kind != run.KindEpoch {
			t.Errorf("without validation images the final record is %+v", res.Final)
		}
	}
}

func TestTimeBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains several models")
	}
	m := tokenizer.Method
	heard := &traintest.Reporter{}
	began := time.Now()
	res := trained(t, m, tiny(t, m, "train.time_budget=700ms", "log.every=1000"), Env{Reporter: heard})
	epochs := res.Config.Train.Epochs
	perEpoch := res.Config.Train.EpochSteps
	if epochs < 1 || perEpoch < 1 || perEpoch > 5 || res.Steps != epochs*perEpoch || time.Since(began) > 20*time.Second {
		t.Errorf("%d epochs, %d steps in %s", epochs, res.Steps, time.Since(began))
	}
	if !strings.Contains(strings.Join(heard.Notices, "\n"), "the budget allows") {
		t.Errorf("notices %q", heard.Notices)
	}
	// The run is that of as many epochs without a budget.
	plain := tiny(t, m, "log.every=1000")
	plain.Train.Epochs, plain.Train.EpochSteps = epochs, perEpoch
	other := trained(t, m, plain, Env{}).Dir
	if traintest.Contents(t, res.Dir, m)["metrics"] != traintest.Contents(t, other, m)["metrics"] {
		t.Errorf("metrics differ from those of %d epochs without a budget", epochs)
	}
	if _, c, err := model.ReadConfig(res.Dir); err != nil || c.Train.Epochs != epochs {
		t.Errorf("config.toml has %+v, error %v", c, err)
	}
}

func TestInitFrom(t *testing.T) {
	m := tokenizer.Method
	first := tokenizerRun(t)
	dir := trained(t, m, tiny(t, m, "init_from="+first, "train.epochs=1", "train.lr=0", "train.min_lr=0", "tokenizer.model.decay=1", "tokenizer.reseed=false"), Env{}).Dir
	for _, name := range []string{"encoder.patch_embed.proj.weight", "decode_task_layer.2.bias", "quantize.embedding.weight"} {
		values := func(dir string) []float32 {
			f, err := state.OpenSafetensors(filepath.Join(dir, m.ModelFile))
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

// A run starts from a model of its own method, unless the method says otherwise.
func TestInitFromAnotherMethod(t *testing.T) {
	cfg := tiny(t, dino.Method, "init_from="+tokenizerRun(t))
	_, err := Run(context.Background(), newDir(t), dino.Method, cfg, opening(Env{}))
	if err == nil || !strings.Contains(err.Error(), "init_from: ") || !strings.Contains(err.Error(), "holds a tokenizer, wanted is a teacher") {
		t.Errorf("error %v", err)
	}
}

func TestUnreadableImages(t *testing.T) {
	m := tokenizer.Method
	source := func(bad func(i int) bool) *data.Source {
		return &data.Source{
			Train: traintest.Spoiled{Dataset: data.Procedural(40, 16, 1), Bad: bad},
			Val:   traintest.Spoiled{Dataset: data.Procedural(10, 16, 2), Bad: func(int) bool { return false }},
		}
	}
	heard := &traintest.Reporter{}
	few := func(i int) bool { return i == 7 || i == 21 }
	res := trained(t, m, tiny(t, m), Env{Source: source(few), Reporter: heard})
	all := strings.Join(heard.Warnings, "\n")
	if res.Unreadable != 2 || strings.Count(all, "image-7:") != 1 || strings.Count(all, "image-21:") != 1 {
		t.Errorf("%d unreadable images, warnings:\n%s", res.Unreadable, all)
	}
	many := func(i int) bool { return i%2 == 0 }
	if _, err := Run(context.Background(), newDir(t), m, tiny(t, m), Env{Source: source(many)}); err == nil || !strings.Contains(err.Error(), "unreadable") {
		t.Errorf("half of the images unreadable: error %v", err)
	}
	if _, err := Run(context.Background(), newDir(t), m, tiny(t, m, "data.max_unreadable=0.9"), Env{Source: source(many)}); err != nil {
		t.Errorf("half of the images unreadable, 0.9 allowed: %v", err)
	}
}

// TestUnreadableValidation: when no validation image can be read the run stops, and goes on from the end of the epoch once they can.
func TestUnreadableValidation(t *testing.T) {
	m := tokenizer.Method
	cfg := tiny(t, m)
	source := func(bad bool) *data.Source {
		val := traintest.Spoiled{Dataset: data.Procedural(10, 16, 2), Bad: func(int) bool { return bad }}
		return &data.Source{Train: data.Procedural(40, 16, 1), Val: val}
	}
	whole, dir := trained(t, m, cfg, Env{Source: source(false)}).Dir, newDir(t)
	_, err := Run(context.Background(), dir, m, cfg, Env{Source: source(true)})
	var unreadable *data.UnreadableError
	if !errors.As(err, &unreadable) || unreadable.Failed != unreadable.Read || !strings.Contains(err.Error(), "validation") {
		t.Fatalf("error %v, want one about validation images", err)
	}
	if list := traintest.Checkpoints(t, dir); len(list) != 1 || !strings.HasSuffix(list[0], "step-000000005.safetensors") {
		t.Errorf("checkpoints %v, want that of the epoch's end", list)
	}
	mustResume(t, dir, Env{Source: source(false)})
	sameRuns(t, "after a validation that failed", whole, dir, m)
}
