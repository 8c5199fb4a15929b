package train

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
)

// A symptom gives a warning with the first record that shows it, and no other. A run has diverged that shows it in its last epoch or validation.
func TestSymptoms(t *testing.T) {
	type values = map[string]float64
	type entry struct {
		kind  string
		step  int
		v     values
		warns string // what the warning contains; empty: there is none
	}
	for _, c := range []struct {
		name     string
		records  []entry
		diverged string
	}{
		{"the loss rises and stays there", []entry{
			{run.KindStep, 2, values{"loss": 2}, ""}, {run.KindEpoch, 5, values{"loss": 3}, ""},
			{run.KindEpoch, 10, values{"loss": 3.1}, "the loss is 3.1, far above the 2 of the start"}, {run.KindEpoch, 15, values{"loss": 9}, ""},
		}, "the loss is 9"},
		{"the loss rises and falls", []entry{
			{run.KindEpoch, 5, values{"loss": 2}, ""}, {run.KindStep, 7, values{"loss": 9}, "the loss is 9"}, {run.KindEpoch, 10, values{"loss": 2.5}, ""},
			{run.KindStep, 12, values{"loss": 9}, ""},
		}, ""},
		{"a validation loss is no loss of training", []entry{{run.KindEpoch, 5, values{"loss": 2}, ""}, {run.KindVal, 5, values{"loss": 9}, ""}}, ""},
		{"NaN in the last validation", []entry{
			{run.KindEpoch, 5, values{"loss": 2}, ""}, {run.KindVal, 5, values{"top1": math.NaN(), "loss": 1}, "top1 on validation images is NaN"},
			{run.KindEpoch, 10, values{"loss": 2}, ""}, {run.KindVal, 10, values{"top1": math.Inf(1)}, ""},
		}, "top1 on validation images is +Inf"},
		{"NaN in a validation before", []entry{
			{run.KindVal, 5, values{"top1": math.NaN()}, "top1 on validation images is NaN"}, {run.KindVal, 10, values{"top1": 0.5}, ""},
		}, ""},
		{"a few seconds of waiting", []entry{{run.KindEpoch, 5, values{"data_time": 0.9, "img_per_s": 8}, ""}}, ""},
		{"a small part", []entry{{run.KindEpoch, 5, values{"data_time": 0.2, "img_per_s": 0.01}, ""}}, ""},
		{"starved", []entry{
			{run.KindEpoch, 5, values{"data_time": 0.5, "img_per_s": 1}, "50 % of the time goes into waiting for images"},
			{run.KindEpoch, 10, values{"data_time": 0.5, "img_per_s": 1}, ""},
		}, ""},
	} {
		h := newHealth(&method.Method{}, tiny(t, tokenizer.Method))
		for i, r := range c.records {
			warnings := strings.Join(h.add(run.Record{Kind: r.kind, Step: r.step, Values: r.v}), "\n")
			if (warnings == "") != (r.warns == "") || !strings.Contains(warnings, r.warns) {
				t.Errorf("%s: record %d warns %q, want %q", c.name, i, warnings, r.warns)
			}
		}
		if got := h.diverged(); (got == "") != (c.diverged == "") || !strings.HasPrefix(got, c.diverged) {
			t.Errorf("%s: diverged %q, want %q", c.name, got, c.diverged)
		}
	}
}

// change changes a parameter of a run under way.
func change(l *loop, name string, f func(x float32) float32) {
	v := l.task.Set().Lookup(name).Value
	values := v.Float32s()
	for i, x := range values {
		values[i] = f(x)
	}
	v.Upload(values)
}

// Each disease is given to a short run: it warns in the first epoch that shows it, once, and says whether it diverged, also when it is asked later.
func TestDiseases(t *testing.T) {
	narrow := func(scale float32) func(l *loop, p method.Progress) { // brings all tokens close together, in the second epoch
		return func(l *loop, p method.Progress) {
			if p.Phase != "train" || p.Done != 6 {
				return
			}
			change(l, "encode_task_layer.2.weight", func(x float32) float32 { return scale * x })
			change(l, "encode_task_layer.2.bias", func(float32) float32 { return 0.01 })
		}
	}
	still := []string{"train.lr=0", "train.min_lr=0", "train.epochs=3"}
	for _, c := range []struct {
		name     string
		method   *method.Method
		set      []string
		during   func(l *loop, p method.Progress)
		epoch    int // that warns first
		want     string
		diverged bool
	}{
		{
			name: "dying codes", method: tokenizer.Method, set: append(still[:len(still):len(still)], "tokenizer.reseed=false"), during: narrow(1), epoch: 2,
			want: "codes are dying",
		},
		{
			name: "one code", method: tokenizer.Method, set: still, during: narrow(0), epoch: 2,
			want: "one code is left", diverged: true,
		},
		{
			name: "loss above its start", method: finetune.Method, set: []string{"train.lr=100"}, epoch: 1,
			want: "far above the", diverged: true,
		},
		{
			name: "NaN validation", method: tokenizer.Method, epoch: 1, want: "on validation images is NaN", diverged: true,
			during: func(l *loop, p method.Progress) {
				if p.Phase == "validate" && p.Done == 0 {
					change(l, "decode_task_layer.2.bias", func(float32) float32 { return float32(math.NaN()) })
				} else if p.Phase == "k-NN" || p.Phase == "train" {
					change(l, "decode_task_layer.2.bias", func(float32) float32 { return 0 })
				}
			},
		},
		{
			name: "NaN scores", method: finetune.Method, set: []string{"train.epochs=1"}, epoch: 1, want: "class_loss on validation images is NaN", diverged: true,
			during: func(l *loop, p method.Progress) {
				if p.Phase == "validate" && p.Done == 0 {
					change(l, "fc_norm.bias", func(float32) float32 { return float32(math.NaN()) })
				}
			},
		},
		{
			name: "starved loader", method: tokenizer.Method, epoch: 1, want: "goes into waiting for images",
			during: func(l *loop, p method.Progress) {
				if p.Phase == "train" { // as if each step had waited for nearly an hour
					l.clock.whole.since, l.clock.whole.wait = time.Now().Add(-time.Hour), 50*time.Minute
				}
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := newLoop(t.Context(), newDir(t), c.method, tiny(t, c.method, c.set...), opening(Env{}), state.WriteFileAtomic)
			if err != nil {
				t.Fatal(err)
			}
			defer l.close()
			heard := &traintest.Reporter{}
			l.env.Reporter, l.reporter = heard, heard
			first := 0 // epoch that warned
			heard.OnProgress = func(p method.Progress) {
				if c.during != nil {
					c.during(l, p)
				}
				if first == 0 && slices.ContainsFunc(heard.Warnings, func(w string) bool { return strings.Contains(w, c.want) }) {
					first = len(heard.Epochs)
				}
			}
			res, err := l.fresh(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(heard.Warnings, "\n")
			if first == 0 { // after the last progress
				first = len(heard.Epochs)
			}
			if strings.Count(all, c.want) != 1 || first != c.epoch {
				t.Errorf("warnings %q in epoch %d, want one with %q in epoch %d", heard.Warnings, first, c.want, c.epoch)
			}
			if again, err := Finished(l.dir, model.Methods()); err != nil || again.Diverged != res.Diverged {
				t.Errorf("asked later, the run diverged: %q, before %q, error %v", again.Diverged, res.Diverged, err)
			}
			want := run.StateFinished
			if c.diverged {
				want = run.StateDiverged
			}
			if s, err := run.ReadStatus(l.dir); err != nil || s.State != want || s.Error != res.Diverged {
				t.Errorf("status %+v, error %v, want %s with %q", s, err, want, res.Diverged)
			}
			if (res.Diverged != "") != c.diverged || c.diverged && !strings.Contains(res.Diverged, c.want) {
				t.Errorf("diverged: %q, want %v", res.Diverged, c.diverged)
			}
		})
	}
}

// A sound run gives no warning. A run that is resumed does not repeat those that it gave.
func TestWarningsOfAResumedRun(t *testing.T) {
	m := tokenizer.Method
	heard := &traintest.Reporter{}
	trained(t, m, tiny(t, m), Env{Reporter: heard})
	if len(heard.Warnings) > 0 {
		t.Errorf("a sound run warns %q", heard.Warnings)
	}
	m = finetune.Method
	cfg, dir := tiny(t, m, "train.lr=100", "train.epochs=3"), newDir(t)
	stopIn(t, dir, m, cfg, "train", 7)
	heard = &traintest.Reporter{}
	res := mustResume(t, dir, Env{Reporter: heard})
	if len(heard.Warnings) > 0 || res.Diverged == "" {
		t.Errorf("the resumed run warns %q, diverged %q", heard.Warnings, res.Diverged)
	}
}
