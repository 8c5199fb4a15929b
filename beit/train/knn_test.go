package train

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/tensor"
)

// knnOf are the records with k-NN accuracy, and the last one's.
func knnOf(t *testing.T, dir string) (records []string, last float64) {
	t.Helper()
	for _, r := range traintest.Metrics(t, dir) {
		if x, ok := r.Values[method.KeyKNN]; ok {
			records, last = append(records, fmt.Sprintf("%s %d", r.Kind, r.Epoch)), x
		}
	}
	return records, last
}

// The accuracy is that of the finished model's features, by package probe.
func TestKNNWhileTraining(t *testing.T) {
	tok := tokenizerRun(t)
	for _, m := range []*method.Method{tokenizer.Method, pretrain.Method, dino.Method} {
		set := append([]string{"train.epochs=1", "data.path=shapes:60"}, fromTokenizer(m, tok)...)
		cfg := tiny(t, m, set...)
		dir := trained(t, m, cfg, Env{}).Dir
		records, got := knnOf(t, dir)
		if !slices.Equal(records, []string{"val 1"}) {
			t.Errorf("%s: k-NN accuracy in records %q", m.Name, records)
		}
		opened, err := model.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		e, err := model.OpenEncoder(tensor.CPU(), opened)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Set.Release()
		images, err := method.OpenImages(cfg, 16, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer images.Close()
		features := func(ds data.Dataset) probe.Features {
			f, err := probe.Extract(t.Context(), tensor.CPU(), ds, probe.Pipeline(16), nil, probe.Network(e.Encoder, e.Norm, probe.PoolMean))
			if err != nil {
				t.Fatal(err)
			}
			return f[0]
		}
		want, err := probe.KNN(t.Context(), tensor.CPU(), features(images.Train), features(images.Val), 20, 0.07)
		if err != nil || got != want.Top1 || got == 0 {
			t.Errorf("%s: accuracy %g, of the finished model %g, error %v", m.Name, got, want.Top1, err)
		}
	}
}

// It is measured in the first epoch, every few, and the last, and changes nothing of what is trained.
func TestKNNChangesNothing(t *testing.T) {
	m := tokenizer.Method
	var want map[string]string
	for every, records := range map[string][]string{"0": nil, "1": {"val 1", "val 2", "val 3"}, "2": {"val 1", "val 2", "val 3"}, "5": {"val 1", "val 3"}} {
		dir := trained(t, m, tiny(t, m, "train.epochs=3", "log.knn_every="+every), Env{}).Dir
		if got, _ := knnOf(t, dir); !slices.Equal(got, records) {
			t.Errorf("every %s epochs: k-NN accuracy in records %q, want %q", every, got, records)
		}
		left := map[string]string{"model": hashTensors(t, dir+"/"+m.ModelFile, ""), "state": hashTensors(t, traintest.Checkpoints(t, dir)[1], "")}
		if want == nil {
			want = left
		}
		if d := traintest.Differing(want, left); d != nil {
			t.Errorf("every %s epochs: different %v", every, d)
		}
	}
}

// unlabelled are images whose classes nobody knows.
type unlabelled struct{ data.Dataset }

func (unlabelled) Classes() []string { return nil }
func (unlabelled) Label(int) int     { return -1 }
func (u unlabelled) Sample(i int) (data.Sample, error) {
	s, err := u.Dataset.Sample(i)
	s.Label = -1
	return s, err
}

// Without labels a word tells how the run goes; with labels of training images alone, a part of them is classified. Classifiers measure themselves.
func TestWhereKNNIsMeasured(t *testing.T) {
	train, val := data.Shapes(40, 16, 1), data.Shapes(10, 16, 2)
	for _, c := range []struct {
		name    string
		method  *method.Method
		source  data.Source
		records []string
		trend   bool
	}{
		{"labels", tokenizer.Method, data.Source{Train: train, Val: val}, []string{"val 1"}, false},
		{"no labels for validation", tokenizer.Method, data.Source{Train: train, Val: unlabelled{val}}, []string{"val 1"}, false},
		{"no validation", tokenizer.Method, data.Source{Train: train}, []string{"epoch 1"}, false},
		{"no labels", tokenizer.Method, data.Source{Train: unlabelled{train}, Val: unlabelled{val}}, nil, true},
		{"a classifier", finetune.Method, data.Source{Train: train, Val: val}, nil, false},
	} {
		heard := &traintest.Reporter{}
		dir := trained(t, c.method, tiny(t, c.method, "train.epochs=1"), Env{Source: &c.source, Reporter: heard}).Dir
		if got, _ := knnOf(t, dir); !slices.Equal(got, c.records) {
			t.Errorf("%s: k-NN accuracy in records %q, want %q", c.name, got, c.records)
		}
		e := heard.Epochs[0]
		if len(heard.Epochs) != 1 || e.Number != 1 || e.Of != 1 || (e.Val != nil) != (c.source.Val != nil) || (e.Trend != "") != c.trend {
			t.Errorf("%s: epochs %+v", c.name, heard.Epochs)
		}
	}
}

// A run that is interrupted while it measures k-NN accuracy goes on with that.
func TestInterruptedKNN(t *testing.T) {
	m := tokenizer.Method
	cfg := tiny(t, m)
	whole, dir := trained(t, m, cfg, Env{}).Dir, newDir(t)
	stopIn(t, dir, m, cfg, "k-NN", 1)
	for _, r := range traintest.Metrics(t, dir) {
		if r.Kind != run.KindStep {
			t.Errorf("a %s record of an epoch that is not closed", r.Kind)
		}
	}
	mustResume(t, dir, Env{})
	sameRuns(t, "stopped while k-NN accuracy was measured", whole, dir, m)
}

// A step of several micro-batches is told of after each of them, the first of a run before its begin. Where that loses nothing, it ends after a
// micro-batch when the run is interrupted, and is done again as a whole.
func TestInterruptedWithinAStep(t *testing.T) {
	tok := tokenizerRun(t)
	for _, c := range []struct {
		method *method.Method
		set    []string
		at     int // step that is interrupted
		step   int // after which the run ends
	}{
		{pretrain.Method, []string{"pretrain.tokenizer=" + tok}, 0, 0},
		{pretrain.Method, []string{"pretrain.tokenizer=" + tok}, 5, 5},
		{finetune.Method, []string{"finetune.mixup=0.8", "finetune.ema=0.9"}, 7, 7},
		{tokenizer.Method, nil, 3, 4}, // its statistics follow each micro-batch
	} {
		cfg := tiny(t, c.method, append(c.set, "log.every=3", "train.accumulation_steps=4")...)
		whole, dir := trained(t, c.method, cfg, Env{}).Dir, newDir(t)
		ctx, cancel := context.WithCancel(t.Context())
		var told []string
		env := opening(Env{Reporter: &traintest.Reporter{OnProgress: func(p method.Progress) {
			if p.Phase == "train" && p.Done == c.at {
				told = append(told, fmt.Sprintf("%d/%d", p.Part, p.Parts))
				if p.Part == 2 {
					cancel()
				}
			}
		}}})
		_, err := Run(ctx, dir, c.method, cfg, env)
		cancel()
		status, _ := run.ReadStatus(dir)
		if err == nil || status.State != run.StateInterrupted || status.Step != c.step {
			t.Errorf("%s: status %+v, error %v, want the end after step %d", c.method.Name, status, err, c.step)
		}
		want := []string{"0/4", "1/4", "2/4", "3/4"}[:min(4, 3+c.step-c.at)]
		if !slices.Equal(told, want) {
			t.Errorf("%s: progress of step %d %q, want %q", c.method.Name, c.at+1, told, want)
		}
		mustResume(t, dir, Env{})
		sameRuns(t, fmt.Sprintf("interrupted in step %d", c.at+1), whole, dir, c.method)
	}
}
