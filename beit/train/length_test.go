package train

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// A run that was begun with two epochs of five steps goes on to four: from its end or from the middle, with the learning rate of a
// run of four. Stopped once more it ends with the same bytes.
func TestResumeLengthens(t *testing.T) {
	for _, m := range []*method.Method{tokenizer.Method, dino.Method} { // whose schedules depend on the length
		cfg := tiny(t, m, "train.accumulation_steps=2")
		t.Run(m.Name, func(t *testing.T) {
			begin := func(dir string) string { return trainIn(t, dir, m, cfg, Env{}).Dir }
			whole, dir := begin(newDir(t)), begin(newDir(t))
			heard := &traintest.Reporter{}
			res := mustResume(t, whole, Env{Reporter: heard}, "train.epochs=4", "log.every=1")
			if res.Steps != 20 || res.Config.Train.Epochs != 4 {
				t.Errorf("%d steps, %d epochs", res.Steps, res.Config.Train.Epochs)
			}
			want := newSchedule(res.Config.Train, 5)
			steps := 0
			for _, r := range traintest.Metrics(t, whole) {
				if lr := r.Values[method.KeyLR]; r.Kind == run.KindStep && r.Step > 10 {
					if steps++; math.Abs(lr-want.At(r.Step-1)) > 1e-12 {
						t.Errorf("step %d: learning rate %g, want %g", r.Step, lr, want.At(r.Step-1))
					}
				}
			}
			if steps != 10 {
				t.Errorf("%d records of steps after the former end", steps)
			}
			all := strings.Join(heard.Notices, "\n")
			for _, want := range []string{"continues at epoch 3 of 4, step 10 of 20", "4 epochs in place of 2: the learning rate goes from "} {
				if !strings.Contains(all, want) {
					t.Errorf("notices %q, want %q", all, want)
				}
			}
			stopped(t, "train", 13, func(ctx context.Context, env Env) error {
				_, err := Resume(ctx, dir, model.Methods(), env, []string{"train.epochs=4", "log.every=1"})
				return err
			})
			if res, err := Finished(dir, model.Methods()); res != nil || err != nil {
				t.Errorf("on the way to the new end: finished with %+v, error %v", res, err)
			}
			heard = &traintest.Reporter{}
			mustResume(t, dir, Env{Reporter: heard})
			sameRuns(t, "stopped on the way to the new end", whole, dir, m)
			if res, err := Finished(dir, model.Methods()); err != nil || res == nil || res.Steps != 20 {
				t.Errorf("at the new end: %+v, error %v", res, err)
			}
			if all := strings.Join(heard.Notices, "\n"); !strings.Contains(all, "continues at epoch 3 of 4, step 13 of 20") || strings.Contains(all, "in place of") {
				t.Errorf("notices %q", all)
			}
		})
	}
}

// A run may end earlier than it was to, and not before what it has done.
func TestResumeShortens(t *testing.T) {
	m := tokenizer.Method
	dir := halfway(t, m, tiny(t, m, "train.epochs=4"))
	if _, err := resumed(dir, Env{}, "train.epochs=1"); err == nil || !strings.Contains(err.Error(), "has begun epoch 2 of 4: give it at least 2") {
		t.Errorf("ended before its last step: error %v", err)
	}
	if res := mustResume(t, dir, Env{}, "train.epochs=2"); res.Steps != 10 || res.Final.Kind != run.KindVal || res.Final.Epoch != 2 {
		t.Errorf("%d steps, last record %+v", res.Steps, res.Final)
	}
	heard := &traintest.Reporter{}
	mustResume(t, dir, Env{Reporter: heard})
	if all := strings.Join(heard.Notices, "\n"); !strings.Contains(all, "is finished already: no step is left") {
		t.Errorf("notices %q", all)
	}
}

// How often something is written may change at resume, and changes nothing else.
func TestResumeWithOtherLogKeys(t *testing.T) {
	m := tokenizer.Method
	cfg := tiny(t, m)
	whole, dir := trained(t, m, cfg, Env{}).Dir, halfway(t, m, cfg)
	mustResume(t, dir, Env{}, "log.every=1", "log.checkpoint=2", "log.eval_every=2", "log.checkpoint_epochs=2")
	if len(traintest.Metrics(t, dir)) <= len(traintest.Metrics(t, whole)) {
		t.Errorf("%d records with log.every=1", len(traintest.Metrics(t, dir)))
	}
	a, _ := traintest.ModelTensors(t, filepath.Join(whole, m.ModelFile))
	b, _ := traintest.ModelTensors(t, filepath.Join(dir, m.ModelFile))
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("other weights:\n%s", d)
	}
}

// With log.checkpoint_epochs, ends of epochs between have no checkpoint, and a run that is stopped there goes on to the same bytes.
func TestCheckpointEpochs(t *testing.T) {
	m := tokenizer.Method
	cfg := tiny(t, m, "train.epochs=5", "log.checkpoint_epochs=2", "log.keep=9")
	whole, dir := trained(t, m, cfg, Env{}).Dir, newDir(t)
	var steps []int
	for _, name := range traintest.Checkpoints(t, whole) {
		steps = append(steps, run.StepOf(name))
	}
	if !slices.Equal(steps, []int{10, 20, 25}) {
		t.Errorf("checkpoints after steps %v", steps)
	}
	stopIn(t, dir, m, cfg, "train", 15)
	mustResume(t, dir, Env{})
	sameRuns(t, "stopped at the end of an epoch", whole, dir, m)
}
