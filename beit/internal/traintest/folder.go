package traintest

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
)

// Contents is what two runs are compared by: the newest checkpoint, the model, and the stable part of the metrics.
func Contents(t testing.TB, dir string, m *method.Method) map[string]string {
	t.Helper()
	list := Checkpoints(t, dir)
	if len(list) == 0 {
		t.Fatalf("%s: no checkpoints", dir)
	}
	out := map[string]string{}
	for name, path := range map[string]string{"checkpoint": list[len(list)-1], "model": filepath.Join(dir, m.ModelFile)} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = filepath.Base(path) + string(text)
	}
	for _, r := range Metrics(t, dir) {
		text, err := r.Stable().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		out["metrics"] += string(text) + "\n"
	}
	return out
}

// Differing lists the parts in which two runs differ.
func Differing(a, b map[string]string) []string {
	var parts []string
	for k := range a {
		if a[k] != b[k] {
			parts = append(parts, k)
			if k == "metrics" {
				parts = append(parts, cmp.Diff(strings.Split(a[k], "\n"), strings.Split(b[k], "\n")))
			}
		}
	}
	slices.Sort(parts)
	return parts
}

// Checkpoints lists the checkpoints in dir, the oldest first.
func Checkpoints(t testing.TB, dir string) []string {
	t.Helper()
	list, err := run.Checkpoints(dir)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Metrics reads the metrics in dir.
func Metrics(t testing.TB, dir string) []run.Record {
	t.Helper()
	list, err := run.ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// ModelTensors reads the tensors and metadata of a model, to be written with changes.
func ModelTensors(t testing.TB, path string) (list []state.Named, meta map[string]string) {
	t.Helper()
	f, err := state.OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		v, err := f.Float32s(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, state.Named{Name: name, DType: state.F32, Shape: e.Shape, Float32s: v})
	}
	return list, f.Metadata()
}

// SafetensorsOf writes tensors into a file.
func SafetensorsOf(meta map[string]string, list []state.Named) func(w io.Writer) error {
	return func(w io.Writer) error { return state.WriteSafetensors(w, meta, list) }
}

// FlipBit turns one bit of a file, at is a part of its length.
func FlipBit(t testing.TB, path string, at float64) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[int(at*float64(len(text)))] ^= 1
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}
