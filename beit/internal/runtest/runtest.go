// Package runtest trains tiny models of all methods for tests of what stands on them.
package runtest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

// Tiny is traintest.TinyFrom with the opener of package model.
func Tiny(t testing.TB, m *method.Method, set ...string) *config.Config {
	t.Helper()
	return traintest.TinyFrom(t, m, model.Opener(), set...)
}

// Train runs a configuration in a new folder. env opens models by package model unless it says otherwise.
func Train(t testing.TB, m *method.Method, c *config.Config, env train.Env) *train.Result {
	t.Helper()
	if env.Open == nil {
		env.Open = model.Opener()
	}
	res, err := train.Run(context.Background(), filepath.Join(t.TempDir(), "run"), m, c, env)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// Folder trains a tiny model for others to use and returns its run folder.
func Folder(t testing.TB, m *method.Method, set ...string) string {
	t.Helper()
	return Train(t, m, Tiny(t, m, set...), train.Env{}).Dir
}

// Stopped runs f, which must be interrupted once phase has done so much.
func Stopped(t testing.TB, phase string, after int, f func(ctx context.Context, env train.Env) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	env := train.Env{Open: model.Opener(), Reporter: &traintest.Reporter{OnProgress: func(p method.Progress) {
		if p.Phase == phase && p.Done == after {
			cancel()
		}
	}}}
	if err := f(ctx, env); !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("stopped in %s after %d: error %v, want ErrInterrupted", phase, after, err)
	}
}

// Open opens a model and closes it at the end of the test.
func Open(t testing.TB, path string) *model.Model {
	t.Helper()
	m, err := model.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// Encoder opens a model for features, which are given back at the end of the test.
func Encoder(t testing.TB, dev *tensor.Device, path string) *model.Encoder {
	t.Helper()
	e, err := model.OpenEncoder(dev, Open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Set.Release)
	return e
}
