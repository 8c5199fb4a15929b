package optim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Files that do not fit are errors that name file and tensors, and change nothing.
func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	set := two(tensor.CPU())
	adam := NewAdam(set, DefaultAdam())
	giveGradients(set, 0)
	adam.Step(0.1)
	if err := adam.Save(path("adam")); err != nil {
		t.Fatal(err)
	}
	other := nn.NewSet()
	other.Scope().Param("weight", nn.Zeros, 4)
	other.Build(tensor.CPU(), 1, nn.Training)
	if err := NewAdam(other, DefaultAdam()).Save(path("other")); err != nil {
		t.Fatal(err)
	}
	for name, steps := range map[string]string{"unnumbered": "", "negative": "-1"} {
		file, err := os.Create(path(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := state.WriteSafetensors(file, map[string]string{metaSteps: steps}, nil); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	before := fmt.Sprint(adam.Count, adam.M, adam.V)
	for _, c := range []struct {
		file string
		load func(path string) error
		want []string
	}{
		{"none", adam.Load, []string{"none"}},
		{"other", adam.Load, []string{"exp_avg.bias", "exp_avg.weight"}},
		{"unnumbered", adam.Load, []string{`steps is ""`}},
		{"negative", adam.Load, []string{`steps is "-1"`}},
		{"adam", NewSGD(set, SGDConfig{}).Load, []string{"momentum_buffer.weight"}},
	} {
		err := c.load(path(c.file))
		if err == nil {
			t.Errorf("%s was loaded", c.file)
			continue
		}
		for _, want := range append(c.want, path(c.file)) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %s", c.file, err, want)
			}
		}
	}
	if after := fmt.Sprint(adam.Count, adam.M, adam.V); after != before {
		t.Errorf("the optimizer changed from %s to %s", before, after)
	}
}
