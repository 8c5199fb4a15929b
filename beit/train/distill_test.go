package train

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// teacherRunFolder trains a teacher for others to use.
func teacherRunFolder(t *testing.T, set ...string) (string, *Result) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "teacher")
	res, err := Run(context.Background(), dir, tiny(t, Teacher, set...), Env{})
	if err != nil {
		t.Fatal(err)
	}
	return dir, res
}

func TestDistillRun(t *testing.T) {
	dir, res := teacherRunFolder(t)
	records, err := ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	most := math.Log(32)
	for _, r := range records {
		for _, key := range []string{"cross_entropy", "teacher_entropy", "mean_entropy"} {
			if v, ok := r.Values[key]; !ok || v <= 0 || key != "cross_entropy" && v > most+1e-4 {
				t.Errorf("%s record: %s = %g", r.Kind, key, v)
			}
		}
		if each, ofMean := r.Values["teacher_entropy"], r.Values["mean_entropy"]; each > ofMean+1e-4 {
			t.Errorf("%s record: entropy %g is above that of the mean %g", r.Kind, each, ofMean)
		}
		want := res.Config.Teacher.Model.MomentumAt(r.Step-1, res.Steps) // of the last update, which is counted from 0
		if m, ok := r.Values["momentum"]; (r.Kind == KindStep) != ok || ok && m != want {
			t.Errorf("%s record: momentum %g, want %g", r.Kind, m, want)
		}
	}
	if res.Final.Kind != KindVal || filepath.Base(res.Model) != "teacher.safetensors" {
		t.Errorf("result %+v", res)
	}

	// The finished file is the network alone, by DINO's names; checkpoints have the student and the heads too.
	f, err := state.OpenSafetensors(res.Model)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if names := f.Names(); len(names) != 2*12+6 || !slices.Contains(names, "blocks.1.attn.qkv.bias") || !slices.Contains(names, "norm.weight") {
		t.Errorf("the finished model has %v", names)
	}
	list, err := checkpoints(dir)
	if err != nil || len(list) != 2 {
		t.Fatalf("checkpoints %v, error %v", list, err)
	}
	features := func(path string) []float32 {
		e, err := LoadEncoder(tensor.CPU(), path)
		if err != nil {
			t.Fatal(err)
		}
		tape := autograd.NewTape(tensor.CPU())
		defer tape.Reset()
		images := tensor.FromSlice(tensor.CPU(), pixels(3*16*16), 1, 3, 16, 16)
		class, _ := e.Model.Features(nn.Context{Tape: tape}, tape.Constant(images))
		return class.Value().Float32s()
	}
	want := features(dir)
	if d := cmp.Diff(want, features(list[1])); d != "" {
		t.Errorf("the last checkpoint has other features than the finished model:\n%s", d)
	}
	if cmp.Equal(want, features(list[0])) {
		t.Error("the teacher did not move in the last epoch")
	}
}

// TestDistilledTeaches has a teacher's run teach tokenizers, by the block in its middle and as a DINO file, and start another run.
func TestDistilledTeaches(t *testing.T) {
	dir, res := teacherRunFolder(t, "train.epochs=1", "teacher.model.vit.width=64", "teacher.model.vit.heads=1")
	for _, set := range [][]string{
		{"tokenizer.teacher=run", "tokenizer.teacher_run=" + dir},
		{"tokenizer.teacher=dino", "tokenizer.teacher_file=" + res.Model},
	} {
		out := filepath.Join(t.TempDir(), "tokenizer")
		got, err := Run(context.Background(), out, tiny(t, Tokenizer, append(set, "train.epochs=1")...), Env{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Config.Tokenizer.Model.TargetDim != 64 {
			t.Errorf("%v: %d dimensions, want the teacher's width 64", set, got.Config.Tokenizer.Model.TargetDim)
		}
	}
	next := tiny(t, Teacher, "init_from="+dir, "teacher.model.vit.width=64", "teacher.model.vit.heads=1", "seed=5")
	r, err := newRun(t.TempDir(), next, Env{}, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.initFrom(); err != nil {
		t.Fatal(err)
	}
	if err := r.task.prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	e, err := LoadEncoder(tensor.CPU(), res.Model)
	if err != nil {
		t.Fatal(err)
	}
	want := e.Set.Lookup("pos_embed").Value.Float32s()
	for _, name := range []string{"pos_embed", "student.pos_embed"} {
		if d := cmp.Diff(want, r.task.set().Lookup(name).Value.Float32s()); d != "" {
			t.Errorf("%s does not start from the run (-want +got):\n%s", name, d)
		}
	}
}

// TestDistillSmallerCrops: without small crops, and with pictures of which a batch is left over in validation.
func TestDistillSmallerCrops(t *testing.T) {
	_, res := teacherRunFolder(t, "teacher.crops.small=0", "train.epochs=1", "data.eval.batch=5")
	if v := res.Final.Values["cross_entropy"]; res.Final.Kind != KindVal || !(v > 0) {
		t.Errorf("validation %+v", res.Final)
	}
}

func TestCollapseIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		set  []string
		want int
	}{
		"uniform": {[]string{"teacher.model.teacher_temp=50", "teacher.model.start_temp=50"}, 1},
		"sound":   {nil, 0},
	} {
		s := &stopper{}
		_, err := Run(context.Background(), filepath.Join(t.TempDir(), "run"), tiny(t, Teacher, c.set...), Env{Reporter: s})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.warnings) != c.want || c.want > 0 && !strings.Contains(s.warnings[0], "collapsing") {
			t.Errorf("%s: warnings %q, want %d", name, s.warnings, c.want)
		}
	}
}

func TestLoadEncoderErrors(t *testing.T) {
	tok := tokenizerRun(t)
	for path, want := range map[string]string{
		filepath.Join(t.TempDir(), "gone"): "gone",
		tok:                                "stage tokenizer",
		filepath.Join(tok, "tokenizer.safetensors"): "stage tokenizer",
		t.TempDir(): "nor a checkpoint",
	} {
		if _, err := LoadEncoder(tensor.CPU(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}
