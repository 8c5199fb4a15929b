package traintest

import (
	"path/filepath"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Env is what the training loop would give a task of m on the CPU. given are used in place of data.path where they are not nil.
func Env(t testing.TB, m *method.Method, c *config.Config, given *data.Source) *method.Env {
	t.Helper()
	images, err := method.OpenImagesToTrain(c, m.ImageSize(c), given)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { images.Close() })
	dev := tensor.CPU()
	e := &method.Env{
		Method: m, Config: c, Device: dev, Tape: autograd.NewTape(dev), Group: dist.Single(), Train: images.Train, Val: images.Val,
		Reporter: method.Silent{}, Skipped: func(data.Skipped) {}, Epoch: 1,
	}
	if e.Loader, err = e.TrainLoader(tensor.HashString(m.Stream)); err != nil {
		t.Fatal(err)
	}
	e.StepsPerEpoch = e.Loader.Len() / c.Train.AccumulationSteps
	return e
}

// Task is a task of m in such an environment.
func Task(t testing.TB, e *method.Env) method.Task {
	t.Helper()
	task, err := e.Method.Task(e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(task.Release)
	return task
}

// WriteTensors writes a safetensors file and returns its path.
func WriteTensors(t testing.TB, meta map[string]string, list []state.Named) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := state.WriteFileAtomic(path, SafetensorsOf(meta, list)); err != nil {
		t.Fatal(err)
	}
	return path
}
