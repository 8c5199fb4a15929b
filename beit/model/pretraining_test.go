package model_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/target"
)

// Every target, and every method whose command is "pretrain --method" with its name, is a way to pretrain; their assignments are understood.
func TestPretrainings(t *testing.T) {
	var want []string
	for _, k := range target.Kinds {
		want = append(want, k.Method)
	}
	for _, m := range model.Methods() {
		if name, ok := strings.CutPrefix(m.Command, "pretrain --method "); ok {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	var got []string
	for _, p := range model.Pretrainings() {
		got = append(got, p.Name)
		found, err := model.FindPretraining(p.Name)
		if err != nil || found.Method != p.Method || p.Title == "" {
			t.Errorf("%+v is found as %+v, error %v", p, found, err)
		}
		c := p.Method.Preset(p.Method.Presets[0])
		for _, s := range slices.Concat(p.Set, p.Settings) {
			if err := c.Set(s); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
		learns := p.Method == pretrain.Method && p.Name != "beit1-pixels"
		if key := p.TokenizerKey(); key != "" && !slices.Contains(c.Keys(), key) || (key == "pretrain.tokenizer") != learns {
			t.Errorf("%s: the tokenizer is named by %q", p.Name, key)
		}
	}
	if !slices.Equal(got, want) || !slices.Contains(got, "mae") || !slices.Contains(got, "beit2") {
		t.Errorf("ways %q, want %q", got, want)
	}
	if _, err := model.FindPretraining("mea"); err == nil || !strings.Contains(err.Error(), "mea: ") || !strings.Contains(err.Error(), "mae") {
		t.Errorf("an unknown name: error %v", err)
	}
}
