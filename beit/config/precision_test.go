package config

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// Names of other programs are read as ours, in assignments and in files, and a configuration keeps our words. Those are what package tensor reads.
func TestPrecisionNames(t *testing.T) {
	for name, want := range map[string]string{"fp32": "highest", "bf16": "medium", "highest": "highest", "high": "high", "medium": "medium", "auto": "auto"} {
		set, err := Configure(toySpec, "", "", []string{"precision=" + name}, nil)
		if err != nil {
			t.Fatal(err)
		}
		file, err := Read(toySpec, strings.Replace(set.TOML(), `precision = "`+want+`"`, `precision = "`+name+`"`, 1), "a test")
		if err != nil {
			t.Fatal(err)
		}
		if set.Precision != want || file.Precision != want {
			t.Errorf("%s is read as %s from an assignment and as %s from a file, want %s", name, set.Precision, file.Precision, want)
		}
		if name == PrecisionAuto {
			continue
		}
		if p, err := tensor.ParsePrecision(name); err != nil || p.String() != want {
			t.Errorf("package tensor reads %s as %v, error %v", name, p, err)
		}
	}
	if _, err := Configure(toySpec, "", "", []string{"precision=fp16"}, nil); err == nil || !strings.Contains(err.Error(), "fp32, bf16") {
		t.Errorf("error %v", err)
	}
}

// Runs of before there was a choice multiplied in float32, whatever their preset does now.
func TestOldRunsKeepTheirPrecision(t *testing.T) {
	c := toySpec.Preset(toySpec.Presets[0])
	c.Precision = PrecisionAuto
	spec := Spec{Name: toySpec.Name, Presets: toySpec.Presets, Preset: func(string) *Config { return c.Clone() }}
	old := strings.Replace(c.TOML(), "precision = \"auto\"\n", "", 1)
	got, err := Read(spec, old, "a test")
	if err != nil || got.Precision != "highest" {
		t.Errorf("precision %v, error %v", got, err)
	}
}
