package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// settingFlags are flags under the names that other programs have made known.
type settingFlags struct {
	Epochs    *int     `placeholder:"N" help:"Passes over the training images."`
	LR        *float64 `name:"lr" placeholder:"F" help:"Peak learning rate."`
	BatchSize *int     `placeholder:"N" help:"Images in a step."`
	ImageSize string   `placeholder:"N" help:"Side of the images that the network sees, in pixels, or height and width as 224x448."`
	Limit     *int     `placeholder:"N" help:"Use at most this many training images, chosen at random."`
	Workers   *int     `placeholder:"N" help:"Images read and decoded at the same time (as many as --threads, by the threads that also compute)."`
}

// setting is a flag that stands for a key. The value is empty where the flag was not given.
type setting struct{ flag, key, value string }

// settings is the table of the flags that stand for a key, with their values.
func (f runFlags) settings(m *method.Method) []setting {
	images, eval := f.paths()
	return []setting{
		{"--data", "data.path", images.Assignment()},
		{"--eval-data", "data.eval_path", eval.Assignment()},
		{"--val-fraction", "data.val_fraction", unless(0, f.ValFraction)},
		{"--exif-transpose", "data.exif_transpose", given(f.ExifTranspose)},
		{"--limit", "data.limit", given(f.Limit)},
		{"--workers", "data.workers", given(f.Workers)},
		{"--image-size", m.ImageSizeKey, f.ImageSize},
		{"--init-from", "init_from", f.InitFrom},
		{"--key", "init_key", f.Key},
		{"--epochs", "train.epochs", given(f.Epochs)},
		{"--lr", "train.lr", given(f.LR)},
		{"--batch-size", "train.batch", given(f.BatchSize)},
		{"--time-budget", "train.time_budget", unless(0, f.TimeBudget)},
		{"--accumulation-steps", "train.accumulation_steps", given(f.AccumulationSteps)},
		{"--checkpoint-activations", "train.checkpoint_activations", unless(false, f.CheckpointActivations)},
		{"--seed", "seed", f.Seed},
		{"--precision", "precision", f.Precision},
	}
}

// assignments are what the flags stand for, then those of --set. extra come first. It is an error if a flag and --set give one key two values.
func (f runFlags) assignments(m *method.Method, extra ...string) ([]string, error) {
	list := extra[:len(extra):len(extra)]
	for _, s := range f.settings(m) {
		if s.value == "" {
			continue
		}
		for _, set := range f.Set {
			if key, value, _ := strings.Cut(set, "="); config.CurrentKey(strings.TrimSpace(key)) == s.key && strings.TrimSpace(value) != s.value {
				return nil, usagef("%s %s and --set %s are one setting: leave one of them out", s.flag, s.value, set)
			}
		}
		list = append(list, s.key+"="+s.value)
	}
	return append(list, f.Set...), nil
}

// given is the value of a flag as text; empty where it was not given.
func given[T int | float64 | bool](v *T) string {
	if v == nil {
		return ""
	}
	return text(*v)
}

// unless is a value as text; empty where it is none.
func unless[T float64 | bool | time.Duration](none, v T) string {
	if v == none {
		return ""
	}
	return text(v)
}

func text[T int | float64 | bool | time.Duration](v T) string {
	if x, ok := any(v).(float64); ok {
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
