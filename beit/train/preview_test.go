package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/splitmask"
	"github.com/gobeit/gobeit/tensor"
)

// A run that is told of before its first step ends with the same bytes as one that nobody asked about, with every method. Look says the same.
func TestPreviewChangesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	tok := tokenizerRun(t)
	for _, m := range model.Methods() {
		t.Run(m.Name, func(t *testing.T) {
			set := append([]string{"train.epochs=3"}, fromTokenizer(m, tok)...)
			cfg := tiny(t, m, set...)
			plain := trained(t, m, cfg, Env{})
			var told []Preview
			previewed := trained(t, m, cfg, Env{Begin: func(p Preview) { told = append(told, p) }})
			if diff := traintest.Differing(traintest.Contents(t, plain.Dir, m), traintest.Contents(t, previewed.Dir, m)); len(diff) > 0 {
				t.Errorf("%v differ", diff)
			}
			looked, err := Look(t.Context(), m, cfg, opening(Env{}))
			if err != nil || len(told) != 1 {
				t.Fatalf("told %d times; error %v", len(told), err)
			}
			measured := cmpopts.IgnoreFields(Preview{}, "ImagesPerSecond", "Seconds", "Memory.Free", "Memory.Cache", "Memory.Needs")
			if diff := cmp.Diff(told[0], looked, measured); diff != "" {
				t.Errorf("Look says other things than Run:\n%s", diff)
			}
			p := told[0]
			if p.Epochs*p.StepsPerEpoch != plain.Steps || p.Train < p.StepsPerEpoch*p.Batch || p.Val == 0 || p.Parameters == 0 || p.Precision != "highest" {
				t.Errorf("told %+v of a run of %d steps", p, plain.Steps)
			}
			if p.ImagesPerSecond <= 0 || p.Seconds <= 0 || p.Needs < p.Peak()+p.Host() {
				t.Errorf("told %+v", p)
			}
		})
	}
}

// A resumed run is told of as well, and nothing is measured for it.
func TestPreviewOfResumedRun(t *testing.T) {
	m := model.Methods()[0]
	dir, cfg := newDir(t), tiny(t, model.Methods()[0])
	stopIn(t, dir, m, cfg, "train", 3)
	var told []Preview
	mustResume(t, dir, Env{Begin: func(p Preview) { told = append(told, p) }})
	if len(told) != 1 || told[0].ImagesPerSecond != 0 || told[0].Needs == 0 || told[0].Epochs != 2 {
		t.Errorf("told %+v", told)
	}
}

// Settings that would fit, but that the method refuses, are not named.
func TestReliefIsNotRefused(t *testing.T) {
	m := splitmask.Method
	set := append(fromTokenizer(m, tokenizerRun(t)), "train.batch=8")
	need := func(more ...string) int64 {
		mem, err := EstimateMemory(t.Context(), m, tiny(t, m, append(set, more...)...), opening(Env{}))
		if err != nil {
			t.Fatal(err)
		}
		return mem.Peak()
	}
	dev := limitedDevice(need("train.accumulation_steps=8", "splitmask.contrast.weight=0"))
	_, err := Run(t.Context(), newDir(t), m, tiny(t, m, set...), opening(Env{Device: dev, Begin: func(Preview) {}}))
	var short *MemoryError
	if !errors.As(err, &short) || slices.Contains(short.Set, "train.accumulation_steps=8") {
		t.Errorf("error %v, with micro-batches of one image", err)
	}
}

// limited is the CPU as a device with so much memory.
type limited struct {
	tensor.Backend
	free int64
}

func (l limited) Available() (int64, bool) { return l.free, true }

// limitedDevice has a pool of its own.
func limitedDevice(free int64) *tensor.Device {
	return tensor.NewDevice(limited{tensor.CPU().Backend(), free})
}

// A run that does not fit is refused before anything is allocated or written. The settings that the error names fit, and cost least.
func TestRunsThatDoNotFitAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	m := model.Methods()[0]
	begin := func(Preview) {}
	cfg := tiny(t, m)
	need := func(set ...string) int64 {
		mem, err := EstimateMemory(t.Context(), m, tiny(t, m, set...), opening(Env{}))
		if err != nil {
			t.Fatal(err)
		}
		return mem.Peak()
	}
	steps := func(n int) string { return fmt.Sprintf("train.accumulation_steps=%d", n) }
	half, checkpoint := need(steps(2)), "train.checkpoint_activations=true"
	next := 4 // which may need more: the pool cannot use memory of one size for another one
	if need(steps(4)) >= half {
		next = 8
	}
	for name, c := range map[string]struct {
		free int64
		set  []string
	}{
		"a smaller micro-batch": {half, []string{steps(2)}},
		"a byte less than that": {half - 1, []string{steps(next)}},
		"activations as well":   {need(steps(8), checkpoint), []string{steps(8), checkpoint}},
		"nothing":               {1000, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dev, dir := limitedDevice(c.free), newDir(t)
			_, err := Run(t.Context(), dir, m, cfg, opening(Env{Device: dev, Begin: begin}))
			var short *MemoryError
			if !errors.As(err, &short) || short.Needs != need() || short.Free != c.free || !cmp.Equal(short.Set, c.set) || short.NeedsThen > c.free {
				t.Fatalf("error %+v (%v), want settings %v", short, err, c.set)
			}
			if held := dev.MemStats().Peak; held != 0 {
				t.Errorf("%d bytes were allocated", held)
			}
			if _, err := os.Stat(dir); !os.IsNotExist(err) {
				t.Errorf("the folder is there (%v)", err)
			}
			p, err := Look(t.Context(), m, cfg, opening(Env{Device: dev}))
			if !errors.As(err, &short) || p.Needs != need() || p.Free != c.free || p.StepsPerEpoch == 0 {
				t.Errorf("Look says %+v, error %v", p, err)
			}
			if c.set != nil {
				trained(t, m, tiny(t, m, c.set...), Env{Device: dev, Begin: begin})
			}
		})
	}
}

// A run that goes on has no other micro-batches: settings that do not change it are named alone.
func TestResumedRunsThatDoNotFit(t *testing.T) {
	m := model.Methods()[0]
	dir := newDir(t)
	stopIn(t, dir, m, tiny(t, m), "train", 3)
	less, err := EstimateMemory(t.Context(), m, tiny(t, m, "train.checkpoint_activations=true"), opening(Env{}))
	if err != nil {
		t.Fatal(err)
	}
	env := Env{Device: limitedDevice(less.Peak()), Begin: func(Preview) {}}
	_, err = resumed(dir, env)
	var short *MemoryError
	if !errors.As(err, &short) || !cmp.Equal(short.Set, []string{"train.checkpoint_activations=true"}) {
		t.Fatalf("error %v", err)
	}
	mustResume(t, dir, env, short.Set...)
}

// Batches that are too large to go through are extrapolated from smaller ones.
func TestEstimateOfLargeBatches(t *testing.T) {
	m := model.Methods()[0]
	cfg := tiny(t, m, "data.path=procedural:2000", "train.batch=256", "data.eval.batch=200")
	l, err := openLoop("", m, cfg, opening(Env{}), nil)
	defer l.close()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	exact, validation, err := l.plan(ctx, cfg, 256, 200)
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.estimateUpTo(ctx, cfg, 32, 24)
	if err != nil {
		t.Fatal(err)
	}
	if want := exact.Step + validation; float64(got.Step) < 0.85*float64(want) || float64(got.Step) > 1.15*float64(want) {
		t.Errorf("a step is extrapolated to %d bytes, and takes %d", got.Step, want)
	}
}
