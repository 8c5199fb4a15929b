package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/model"
)

// Each flag of the table sets its key, in every method.
func TestSettingFlags(t *testing.T) {
	for _, m := range model.Methods() {
		three, lr, seven := 3, 2.5e-4, 7
		size := 2 * m.ImageSize(m.Preset(config.DefaultPreset))
		f := runFlags{
			imageFlags:   imageFlags{Data: []string{"a", "b"}, splitFlags: splitFlags{EvalData: []string{"c"}, ValFraction: 0.25}},
			settingFlags: settingFlags{Epochs: &three, LR: &lr, BatchSize: &seven, ImageSize: strconv.Itoa(size), Limit: &seven, Workers: &three},
			configFlags:  configFlags{Set: []string{"train.clip=1"}},
		}
		set, err := f.assignments(m, "data.pad=2")
		if err != nil {
			t.Fatal(err)
		}
		if set[0] != "data.pad=2" || set[len(set)-1] != "train.clip=1" {
			t.Errorf("%s: %q", m.Name, set)
		}
		c, _, err := m.Configure("", "", set, model.Opener())
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		d, tr := c.Data, c.Train
		if !slices.Equal(d.Path.List(), []string{"a", "b"}) || d.EvalPath != "c" || d.ValFraction != 0.25 || d.Limit != 7 || d.Workers != 3 ||
			tr.Epochs != 3 || tr.LR != lr || tr.Batch != 7 || tr.Clip != 1 || m.ImageSize(c) != size {
			t.Errorf("%s: data %+v, training %+v, images of %d", m.Name, d, tr, m.ImageSize(c))
		}
		keys := c.Keys()
		for _, s := range f.settings(m) {
			if !slices.Contains(keys, s.key) {
				t.Errorf("%s: %s stands for %s, which is no key", m.Name, s.flag, s.key)
			}
		}
	}
}

// A key gets one value: a flag and --set must not give two.
func TestSettingTwice(t *testing.T) {
	for args, want := range map[string]string{
		"--epochs 3 --set train.epochs=5":                             "beit: --epochs 3 and --set train.epochs=5 are one setting: leave one of them out\n",
		"--image-size 64 --set tokenizer.model.encoder.image_size=32": "beit: --image-size 64 and --set tokenizer.model.encoder.image_size=32 are one setting: leave one of them out\n",
		"--accum 2 --set train.accum=4":                               "--accum is called --accumulation-steps now\nbeit: --accumulation-steps 2 and --set train.accum=4 are one setting: leave one of them out\n",
		"--epochs 3 --set train.epochs=3 --set train.lr=x":            "beit: train.lr=x: \"x\" is not a number\n", // twice the same
	} {
		status, out, errOut := beitRun(t, slices.Concat([]string{"tokenizer", "train", "--data", "procedural:20"}, strings.Fields(args))...)
		if status != statusUsage || out != "" || errOut != want {
			t.Errorf("%s: status %d, %q, want %q", args, status, errOut, want)
		}
	}
}
