package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// next are the commands that go on from a finished run, the usual one first, each with the program and its arguments. Those that measure take the
// run's own images, which need a validation part.
func next(a *app, r *train.Result) (list [][]string) {
	add := func(name string, args ...string) {
		list = append(list, slices.Concat([]string{"beit"}, a.flags, strings.Fields(name), args))
	}
	dir, images, measurable := experiment.InPlace(r.Dir), imagesOf(r.Config), r.Outcome.Val != nil
	first := experiment.InPlace(nearby(r.Config.Data.Path.List()[0]))
	switch r.Method {
	case tokenizer.Method:
		add(pretrain.Method.Command, slices.Concat(presetOf(r.Config, pretrain.Method), images, []string{"--tokenizer", dir})...)
		if measurable {
			add("tokenizer eval", dir)
		}
		add("codebook", dir, "--out", filepath.Join(dir, "codebook"))
	case finetune.Method:
		if measurable {
			add("eval", dir)
		}
		add("predict", dir, first)
	case segment.Method:
		if measurable {
			add("segment eval", dir)
		}
	default: // a backbone
		if r.HasLabels && measurable {
			add("probe linear", dir)
		}
		add("embed", dir, first, "--out", "embeddings.npy")
		add("map", dir, "--out", filepath.Join(dir, "map"))
		if r.HasLabels {
			add(finetune.Method.Command, slices.Concat(presetOf(r.Config, finetune.Method), images, []string{"--init-from", dir})...)
		}
	}
	return list
}

// resumeLine is the command that continues a run, as a shell reads it. flags stand before its name.
func resumeLine(flags []string, m *method.Method, dir string) string {
	return experiment.ShellLine(slices.Concat([]string{"beit"}, flags, strings.Fields(m.Command), []string{"--resume", experiment.InPlace(dir)}))
}

// publishedPreset is that of pretraining with a published tokenizer.
const publishedPreset = "base_1600e"

// presetOf is the flag for the preset with which method m goes on from a run: the run's own, or that of the same sizes, unless it is the usual one.
func presetOf(c *config.Config, m *method.Method) []string {
	stem := c.Preset[:max(strings.LastIndexByte(c.Preset, '_'), 0)] // small64 of small64_peco
	switch {
	case c.Preset == config.DefaultPreset:
		return nil
	case slices.Contains(m.Presets, c.Preset+"_"+c.Method): // such as base_mae
		return []string{"--preset", c.Preset + "_" + c.Method}
	case slices.Contains(m.Presets, c.Preset):
		return []string{"--preset", c.Preset}
	case stem == config.DefaultPreset:
		return nil
	case slices.Contains(m.Presets, stem):
		return []string{"--preset", stem}
	case m == pretrain.Method:
		return []string{"--preset", publishedPreset}
	}
	return nil
}

// imagesOf are the flags that name a run's images.
func imagesOf(c *config.Config) []string {
	near := func(paths config.Paths) config.Paths {
		list := paths.List()
		for i, path := range list {
			list[i] = nearby(path)
		}
		return config.PathsOf(list...)
	}
	list := append(experiment.PathFlags("--data", near(c.Data.Path)), experiment.PathFlags("--eval-data", near(c.Data.EvalPath))...)
	if f := c.Data.ValFraction; f > 0 {
		list = append(list, "--val-fraction", strconv.FormatFloat(f, 'g', -1, 64))
	}
	return list
}

// nearby is a path as seen from the present folder, where it lies in that.
func nearby(path string) string {
	here, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
