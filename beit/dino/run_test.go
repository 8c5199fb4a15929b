package dino_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// trained trains a network for others to use.
func trained(t *testing.T, set ...string) *train.Result {
	t.Helper()
	return runtest.Train(t, dino.Method, runtest.Tiny(t, dino.Method, set...), train.Env{})
}

func TestRun(t *testing.T) {
	res := trained(t)
	most := math.Log(32)
	for _, r := range traintest.Metrics(t, res.Dir) {
		for _, key := range []string{"cross_entropy", "teacher_entropy", "mean_entropy"} {
			if v, ok := r.Values[key]; !ok || v <= 0 || key != "cross_entropy" && v > most+1e-4 {
				t.Errorf("%s record: %s = %g", r.Kind, key, v)
			}
		}
		if each, ofMean := r.Values["teacher_entropy"], r.Values["mean_entropy"]; each > ofMean+1e-4 {
			t.Errorf("%s record: entropy %g is above that of the mean %g", r.Kind, each, ofMean)
		}
		want := dino.SectionOf(res.Config).Model.MomentumAt(r.Step-1, res.Steps) // of the last step, which is counted from 0
		if m, ok := r.Values["momentum"]; (r.Kind == run.KindStep) != ok || ok && m != want {
			t.Errorf("%s record: momentum %g, want %g", r.Kind, m, want)
		}
	}
	if res.Final.Kind != run.KindVal || filepath.Base(res.Model) != "teacher.safetensors" {
		t.Errorf("result %+v", res)
	}
}

// The finished file is the network alone, by DINO's names; checkpoints have the student and the heads too.
func TestFinishedNetwork(t *testing.T) {
	res := trained(t)
	f, err := state.OpenSafetensors(res.Model)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if names := f.Names(); len(names) != 2*12+6 || !slices.Contains(names, "blocks.1.attn.qkv.bias") || !slices.Contains(names, "norm.weight") {
		t.Errorf("the finished model has %v", names)
	}
	list := traintest.Checkpoints(t, res.Dir)
	if len(list) != 2 {
		t.Fatalf("checkpoints %v", list)
	}
	features := func(path string) []float32 {
		e := runtest.Encoder(t, tensor.CPU(), path)
		tape := autograd.NewTape(tensor.CPU())
		defer tape.Reset()
		images := tensor.FromSlice(tensor.CPU(), traintest.Pixels(3*16*16), 1, 3, 16, 16)
		class, _ := e.Features(nn.Context{Tape: tape}, tape.Constant(images))
		return class.Value().Float32s()
	}
	want := features(res.Dir)
	if d := cmp.Diff(want, features(list[1])); d != "" {
		t.Errorf("the last checkpoint has other features than the finished model:\n%s", d)
	}
	if cmp.Equal(want, features(list[0])) {
		t.Error("the teacher did not move in the last epoch")
	}
}

// A run of this method teaches tokenizers, by the block in its middle and as a DINO file, and starts another run.
func TestTeaches(t *testing.T) {
	res := trained(t, "train.epochs=1", "dino.model.vit.width=64", "dino.model.vit.heads=1")
	for _, set := range [][]string{
		{"tokenizer.teacher=run", "tokenizer.teacher_run=" + res.Dir},
		{"tokenizer.teacher=dino", "tokenizer.teacher_file=" + res.Model},
	} {
		got := runtest.Train(t, tokenizer.Method, runtest.Tiny(t, tokenizer.Method, append(set, "train.epochs=1")...), train.Env{})
		if dim := tokenizer.SectionOf(got.Config).Model.TargetDim; dim != 64 {
			t.Errorf("%v: %d dimensions, want the teacher's width 64", set, dim)
		}
	}

	want := runtest.Encoder(t, tensor.CPU(), res.Model).Set.Lookup("pos_embed").Value.Float32s()
	c := runtest.Tiny(t, dino.Method, "init_from="+res.Dir, "dino.model.vit.width=64", "dino.model.vit.heads=1", "seed=5")
	task := traintest.Task(t, traintest.Env(t, dino.Method, c, nil))
	f := runtest.Open(t, res.Dir).File()
	if err := method.LoadParams(task.Finished(), f, method.PrefixTrain); err != nil {
		t.Fatal(err)
	}
	if err := task.(method.Preparer).Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pos_embed", "student.pos_embed"} {
		if d := cmp.Diff(want, task.Set().Lookup(name).Value.Float32s()); d != "" {
			t.Errorf("%s does not start from the run (-want +got):\n%s", name, d)
		}
	}
}

// A run starts from the checkpoint of another, and of it takes the teacher alone.
func TestInitFromCheckpoint(t *testing.T) {
	first := trained(t)
	for _, path := range []string{first.Dir, traintest.Checkpoints(t, first.Dir)[1]} {
		c := runtest.Tiny(t, dino.Method, "init_from="+path, "train.epochs=1", "train.lr=0", "train.min_lr=0", "seed=5")
		res := runtest.Train(t, dino.Method, c, train.Env{})
		want, _ := traintest.ModelTensors(t, first.Model)
		got, _ := traintest.ModelTensors(t, res.Model)
		for i, n := range want {
			for k, v := range n.Float32s { // without a learning rate only rounding moves the teacher
				if math.Abs(float64(got[i].Float32s[k]-v)) > 1e-6 {
					t.Fatalf("from %s: %s, element %d was %g and is %g", path, n.Name, k, v, got[i].Float32s[k])
				}
			}
		}
	}
}

// Without small crops, and with images of which a batch is left over in validation.
func TestLargeCropsAlone(t *testing.T) {
	res := trained(t, "dino.crops.small=0", "train.epochs=1", "data.eval.batch=5")
	if v := res.Final.Values["cross_entropy"]; res.Final.Kind != run.KindVal || !(v > 0) {
		t.Errorf("validation %+v", res.Final)
	}
}

func TestCollapseIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		set  []string
		want int
	}{
		"uniform": {[]string{"dino.model.teacher_temp=50", "dino.model.start_temp=50"}, 1},
		"sound":   {nil, 0},
	} {
		heard := &traintest.Reporter{}
		runtest.Train(t, dino.Method, runtest.Tiny(t, dino.Method, c.set...), train.Env{Reporter: heard})
		if len(heard.Warnings) != c.want || c.want > 0 && !strings.Contains(heard.Warnings[0], "collapsing") {
			t.Errorf("%s: warnings %q, want %d", name, heard.Warnings, c.want)
		}
	}
}
