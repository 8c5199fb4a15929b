package experiment

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// pixelCodes are assignments of a run that learns from no tokenizer.
var pixelCodes = []string{"pretrain.target=pixel-kmeans", "pretrain.model.vocab=512", "pretrain.model.aggregation.depth=0", "pretrain.visible=0"}

// What training on an image is said to cost is what a run counts.
func TestCost(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	type kind struct {
		m   *method.Method
		set []string
	}
	kinds := []kind{{pretrain.Method, []string{"pretrain.target=features"}}, {pretrain.Method, pixelCodes}}
	for _, m := range model.Methods() {
		kinds = append(kinds, kind{m, nil})
	}
	for _, k := range kinds {
		m, set := k.m, append(k.set, "train.batch=4", "train.accumulation_steps=1")
		key := m.UpstreamKey(runtest.Tiny(t, m, k.set...), pretrain.RoleTokenizer)
		if key != "" {
			learned := tokenizer.SectionOf(runtest.Open(t, tok).Config).Model
			vocab := learned.Codes
			if k.set != nil { // features are predicted
				vocab = learned.TargetDim
			}
			set = append(set, key+"="+tok, fmt.Sprintf("%s.model.vocab=%d", m.Name, vocab))
		}
		cfg := runtest.Tiny(t, m, set...)
		measured, err := train.Measure(t.Context(), filepath.Join(t.TempDir(), "run"), m, cfg, train.Env{Open: model.Opener()})
		if err != nil {
			t.Fatal(err)
		}
		says, counted := m.Cost(cfg).FLOPs, measured.Step.FLOPs/float64(measured.Batch)
		if key != "" { // which counts the tokenizer of its preset
			says += pretrain.LabelFLOPs(cfg, runtest.Open(t, tok).Config) - pretrain.PresetLabelFLOPs(cfg)
		}
		if math.Abs(says-counted) > 0.05*counted || counted == 0 {
			t.Errorf("%s %q: %.4g operations an image, a run counts %.4g", m.Name, k.set, says, counted)
		}
	}
}

// A perceptual loss costs what a run counts, where it looks through a network of the encoder's size.
func TestPerceptualCost(t *testing.T) {
	m := tokenizer.Method
	cfg := runtest.Tiny(t, m, "train.batch=4", "train.accumulation_steps=1", "tokenizer.teacher=pixels", "tokenizer.perceptual=1", "tokenizer.teacher_run="+runtest.Folder(t, m),
		"tokenizer.model.target_dim=48")
	measured, err := train.Measure(t.Context(), filepath.Join(t.TempDir(), "run"), m, cfg, train.Env{Open: model.Opener()})
	if err != nil {
		t.Fatal(err)
	}
	if says, counted := m.Cost(cfg).FLOPs, measured.Step.FLOPs/float64(measured.Batch); math.Abs(says-counted) > 0.05*counted || counted == 0 {
		t.Errorf("%.4g operations an image, a run counts %.4g", says, counted)
	}
}

// Parameters are counted without taking memory for them, in the sizes that are known of the published networks.
func TestParameters(t *testing.T) {
	for _, c := range []struct {
		method, preset string
		millions       float64
	}{{"finetune", "base_1600e", 85.8}, {"finetune", "large_1600e", 303.4}, {"pretrain", "base_plain", 92.0}} {
		m, err := model.Methods().Find(c.method)
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(m.Cost(m.Preset(c.preset)).Parameters) / 1e6; math.Abs(got-c.millions) > 0.1 {
			t.Errorf("%s %s has %.2f million parameters, want %.1f", c.method, c.preset, got, c.millions)
		}
	}
}
