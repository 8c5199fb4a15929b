package train

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/eventstest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/run/events"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
)

// A run that died after the records of an epoch and before its checkpoint, and goes on from one that was left in the middle of the
// epoch's validation, has these records once.
func TestRecordsOfAnOpenEpoch(t *testing.T) {
	m := tokenizer.Method
	cfg, dir := tiny(t, m), newDir(t)
	whole := trained(t, m, cfg, Env{}).Dir
	stopIn(t, dir, m, cfg, "validate", 1)
	file, known, damaged, err := run.OpenMetrics(dir, 5, 1, state.WriteFileAtomic)
	if err != nil || len(damaged) > 0 || len(known) == 0 {
		t.Fatalf("%d records, damaged %v, error %v", len(known), damaged, err)
	}
	for kind, key := range map[string]string{run.KindEpoch: "loss", run.KindVal: "loss_reconstruction"} {
		if err := file.Append(run.Record{Kind: kind, Epoch: 1, Step: 5, Values: map[string]float64{key: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	mustResume(t, dir, Env{})
	sameRuns(t, "stopped between records and checkpoint", whole, dir, m)
}

// ofClass are the keys of figures of single classes.
var ofClass = regexp.MustCompile(`^iou_\d+$`)

// Every value in the records of every method is in its table of metrics, and no key is there twice.
func TestMetricsAreDescribed(t *testing.T) {
	if d := cmp.Diff([]string{method.KeySpeed, method.KeyDataTime, method.KeySumTime, method.KeyMemory, method.KeyFLOPs}, run.MachineFields); d != "" {
		t.Errorf("the loop's keys of the machine (-) and those that Stable leaves out (+):\n%s", d)
	}
	tok := tokenizerRun(t)
	for _, m := range model.Methods() {
		known := map[string]bool{}
		for _, x := range m.AllMetrics() {
			if known[x.Key] || x.Label == "" {
				t.Errorf("%s: metric %+v", m.Name, x)
			}
			known[x.Key] = true
		}
		set := append([]string{"train.epochs=1"}, fromTokenizer(m, tok)...)
		switch m {
		case finetune.Method:
			set = append(set, "finetune.ema=0.9")
		}
		heard := &traintest.Reporter{}
		res := trained(t, m, tiny(t, m, set...), Env{Reporter: heard})
		list := traintest.Metrics(t, res.Dir)
		for _, r := range list {
			for key := range r.Values {
				if ofClass.MatchString(key) && m == segment.Method { // one for each class that has pixels
					continue
				}
				if !known[key] {
					t.Errorf("%s: the %s record has %s, which nothing describes", m.Name, r.Kind, key)
				}
			}
			if age := time.Since(r.Time); age < 0 || age > time.Minute {
				t.Errorf("%s: a record of %s", m.Name, r.Time)
			}
		}
		if d := cmp.Diff(len(list), len(heard.Records)); d != "" {
			t.Errorf("%s: records in the file and told (-file +told):\n%s", m.Name, d)
		}
	}
}

// The events are those of metrics.jsonl, also in a run that was stopped and resumed.
func TestEventsFollowMetrics(t *testing.T) {
	dir := newDir(t)
	stopIn(t, dir, tokenizer.Method, tiny(t, tokenizer.Method), "train", 3)
	mustResume(t, dir, Env{})
	// The times are left out: records have them to the nanosecond.
	want, got := map[eventstest.Scalar]bool{}, map[eventstest.Scalar]bool{}
	for _, r := range traintest.Metrics(t, dir) {
		for k, v := range r.Values {
			want[eventstest.Scalar{Step: uint64(r.Step), Tag: r.Kind + "/" + k, Value: float32(v)}] = true
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, events.File))
	if err != nil {
		t.Fatal(err)
	}
	list, err := eventstest.Scalars(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		e.Wall = time.Time{}
		got[e] = true
	}
	if diff := cmp.Diff(want, got); diff != "" || len(list) != len(want) || len(list) < 40 {
		t.Errorf("%d values, %d in metrics.jsonl (-) against events (+):\n%s", len(list), len(want), diff)
	}
}

// status.json says what became of a run, and how far it is of how many steps.
func TestStatusOfRuns(t *testing.T) {
	m := tokenizer.Method
	cfg, dir := tiny(t, m), newDir(t)
	status := func() run.Status {
		t.Helper()
		s, err := run.ReadStatus(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := func(what string, got run.Status, state run.State, step, epoch int) {
		t.Helper()
		if got.State != state || got.Step != step || got.Total != 10 || got.Epoch != epoch || got.Epochs != 2 || got.PID != os.Getpid() ||
			time.Since(got.Began) > time.Minute || got.Updated.Before(got.Began) {
			t.Errorf("%s: %+v, want %s at step %d of 10 in epoch %d of 2", what, got, state, step, epoch)
		}
	}
	var first, second run.Status
	stopped(t, "train", 7, func(ctx context.Context, env Env) error {
		stop := env.Reporter.(*traintest.Reporter).OnProgress
		env.Reporter = &traintest.Reporter{OnProgress: func(p method.Progress) {
			stop(p)
			if p.Phase == "k-means" {
				first = status()
			}
		}}
		_, err := Run(ctx, dir, m, cfg, env)
		return err
	})
	want("before the first step", first, run.StateRunning, 0, 1)
	want("stopped", status(), run.StateInterrupted, 7, 2)
	mustResume(t, dir, Env{Reporter: &traintest.Reporter{OnProgress: func(p method.Progress) {
		if p.Done == 8 {
			second = status()
		}
	}}})
	want("resumed", second, run.StateRunning, 7, 2)
	want("at the end", status(), run.StateFinished, 10, 2)

	if _, err := resumed(dir, Env{}, "data.path=procedural:41"); err == nil { // refused before it begins
		t.Error("other images were taken")
	}
	want("after a refused resumption", status(), run.StateFinished, 10, 2)
}

// A run that fails says why.
func TestStatusOfFailure(t *testing.T) {
	dir := newDir(t)
	full := func(path string, write func(w io.Writer) error) error {
		if strings.Contains(path, run.CheckpointDir) {
			return errors.New("no room")
		}
		return state.WriteFileAtomic(path, write)
	}
	err := freshWith(t, dir, tokenizer.Method, tiny(t, tokenizer.Method), full)
	s, readErr := run.ReadStatus(dir)
	if err == nil || readErr != nil || s.State != run.StateFailed || s.Error != err.Error() || s.Step != 5 || s.Total != 10 {
		t.Errorf("status %+v, error %v, of a run that ended with %v", s, readErr, err)
	}
}

// Checkpoints are written when their time has come, besides those at the end of each epoch, and the result is the same.
func TestCheckpointByTime(t *testing.T) {
	m := tokenizer.Method
	whole := trained(t, m, tiny(t, m), Env{}).Dir
	steps := func(every string) (list []int) {
		dir := newDir(t)
		trainIn(t, dir, m, tiny(t, m, "log.keep=99", "log.checkpoint_every="+every), Env{})
		for _, name := range traintest.Checkpoints(t, dir) {
			list = append(list, run.StepOf(name))
		}
		if traintest.Contents(t, dir, m)["metrics"] != traintest.Contents(t, whole, m)["metrics"] {
			t.Errorf("every %s: other metrics", every)
		}
		return list
	}
	if got := steps("1ns"); !slices.Equal(got, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
		t.Errorf("a checkpoint whenever there is one to write: %v", got)
	}
	for _, every := range []string{"1h", "0s"} {
		if got := steps(every); !slices.Equal(got, []int{5, 10}) {
			t.Errorf("every %s: %v", every, got)
		}
	}
	// The clock starts anew with each of them.
	l := &loop{env: &method.Env{Config: tiny(t, m, "log.checkpoint_every=1h")}}
	for age, want := range map[time.Duration]bool{59 * time.Minute: false, 61 * time.Minute: true} {
		if l.saved = time.Now().Add(-age); l.checkpointDue() != want {
			t.Errorf("%s after the last: due %v", age, !want)
		}
	}
}
