package train

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// tiny is traintest.TinyFrom with the opener of package model.
func tiny(t testing.TB, m *method.Method, set ...string) *config.Config {
	t.Helper()
	return traintest.TinyFrom(t, m, model.Opener(), set...)
}

// opening is env with the opener of package model.
func opening(env Env) Env {
	env.Open = model.Opener()
	return env
}

// trainIn runs a configuration in dir.
func trainIn(t testing.TB, dir string, m *method.Method, c *config.Config, env Env) *Result {
	t.Helper()
	res, err := Run(context.Background(), dir, m, c, opening(env))
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// trained runs a configuration in a new folder.
func trained(t testing.TB, m *method.Method, c *config.Config, env Env) *Result {
	t.Helper()
	return trainIn(t, newDir(t), m, c, env)
}

// newDir is the path of a folder that is not there.
func newDir(t testing.TB) string { return filepath.Join(t.TempDir(), "run") }

// tokenizerRun trains a tokenizer for pretraining to use.
func tokenizerRun(t testing.TB) string {
	t.Helper()
	return trained(t, tokenizer.Method, tiny(t, tokenizer.Method), Env{}).Dir
}

// pixelCodes are assignments of a pretraining whose codes are those of k-means over pixels.
var pixelCodes = []string{"pretrain.target=pixel-kmeans", "pretrain.model.vocab=32", "pretrain.model.aggregation.depth=0", "pretrain.visible=0"}

// fromTokenizer is the assignment of a tokenizer, for methods that learn from one.
func fromTokenizer(m *method.Method, tok string) []string {
	if key := m.UpstreamKey(m.Preset(m.Presets[0]), pretrain.RoleTokenizer); key != "" {
		return []string{key + "=" + tok}
	}
	return nil
}

// resumed continues the run in dir.
func resumed(dir string, env Env, set ...string) (*Result, error) {
	return Resume(context.Background(), dir, model.Methods(), opening(env), set)
}

// mustResume continues the run in dir to its end.
func mustResume(t testing.TB, dir string, env Env, set ...string) *Result {
	t.Helper()
	res, err := resumed(dir, env, set...)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// stopped runs f, which must be interrupted once phase has done so much.
func stopped(t testing.TB, phase string, after int, f func(ctx context.Context, env Env) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	env := opening(Env{Reporter: &traintest.Reporter{OnProgress: func(p method.Progress) {
		if p.Phase == phase && p.Done == after {
			cancel()
		}
	}}})
	if err := f(ctx, env); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("stopped in %s after %d: error %v, want ErrInterrupted", phase, after, err)
	}
}

// stopIn runs a configuration in dir until phase has done so much.
func stopIn(t testing.TB, dir string, m *method.Method, c *config.Config, phase string, after int) {
	t.Helper()
	stopped(t, phase, after, func(ctx context.Context, env Env) error {
		_, err := Run(ctx, dir, m, c, env)
		return err
	})
}

// stopAgain continues the run in dir until phase has done so much.
func stopAgain(t testing.TB, dir, phase string, after int) {
	t.Helper()
	stopped(t, phase, after, func(ctx context.Context, env Env) error {
		_, err := Resume(ctx, dir, model.Methods(), env, nil)
		return err
	})
}

// halfway is a run that was stopped in the middle of its second epoch.
func halfway(t testing.TB, m *method.Method, c *config.Config) string {
	t.Helper()
	dir := newDir(t)
	stopIn(t, dir, m, c, "train", 7)
	return dir
}

// sameRuns compares what two runs of m left.
func sameRuns(t testing.TB, what, want, got string, m *method.Method) {
	t.Helper()
	if d := traintest.Differing(traintest.Contents(t, want, m), traintest.Contents(t, got, m)); d != nil {
		t.Errorf("%s: different %v", what, d)
	}
}
