package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
)

// verifyCmd is "beit verify".
type verifyCmd struct {
	Model string `arg:"" placeholder:"FILE|RUN" help:"Model: a run folder, its model file, or a published file."`
	JSON  bool   `name:"json" help:"Print as JSON."`
}

// verified is what a network is and does.
type verified struct {
	File       string `json:"file"`
	Kind       string `json:"kind"`
	Parameters int    `json:"parameters"`
	ImageSize  int    `json:"image_size"`
	Aside      string `json:"aside,omitempty"` // what was not looked at
	weights.Health
}

// errUnhealthy ends the command when a network looks wrong.
var errUnhealthy = errors.New("the network looks wrong")

// Run runs the network on drawn pictures.
func (c *verifyCmd) Run(a *app) error {
	network, set, info, norm, err := c.open(a)
	if err != nil {
		return err
	}
	defer set.Release()
	info.Parameters = set.Count()
	info.Health = weights.Verify(a.dev, network, info.ImageSize, norm)
	if c.JSON {
		err = printJSON(a.out, info)
	} else {
		err = info.print(a)
	}
	if err == nil && len(info.Findings) > 0 {
		err = fmt.Errorf("%s: %w: %s", info.File, errUnhealthy, strings.Join(info.Findings, "; "))
	}
	return err
}

// open builds the network of a run, or of a published file.
func (c *verifyCmd) open(a *app) (network any, set *nn.Set, info verified, norm data.Norm, err error) {
	stage, err := train.ModelStage(c.Model)
	switch {
	case !isFolder(c.Model) && !ofRun(c.Model):
		m, err := weights.Open(c.Model)
		if err != nil {
			return nil, nil, info, norm, err
		}
		defer m.Close()
		network, set, err = m.Build(a.dev)
		info = verified{File: c.Model, Kind: string(m.Kind), ImageSize: m.ViT.ImageSize, Aside: aside[m.Kind]}
		return network, set, info, m.Norm(), err
	case err != nil:
		return nil, nil, info, norm, err
	case stage == train.Tokenizer:
		m, err := train.LoadTokenizer(a.dev, c.Model)
		if err != nil {
			return nil, nil, info, norm, err
		}
		v := m.Model.Config.Encoder
		info = verified{File: m.Path, Kind: string(weights.Tokenizer), ImageSize: v.ImageSize, Aside: aside[weights.Tokenizer]}
		return m.Model, m.Set, info, data.Unit, believe(info.File, v, m.Set)
	case stage == train.Finetune:
		m, err := train.LoadClassifier(a.dev, c.Model)
		if err != nil {
			return nil, nil, info, norm, err
		}
		v := m.Config.Finetune.Model
		return m.Model, m.Set, verified{File: m.Path, Kind: string(weights.Classifier), ImageSize: v.ImageSize}, m.Norm(), believe(m.Path, v, m.Set)
	default:
		m, err := train.LoadNetwork(a.dev, c.Model)
		if err != nil {
			return nil, nil, info, norm, err
		}
		info = verified{File: m.Path, Kind: "network of stage " + string(stage), ImageSize: m.ViT.ImageSize}
		return m.Model, m.Set, info, m.Norm, believe(info.File, m.ViT, m.Set)
	}
}

// aside is what Verify does not run.
var aside = map[weights.Kind]string{weights.Segmenter: "the segmentation head", weights.Tokenizer: "the decoder"}

// believe refuses a run's network that would take far more memory than its file, and gives its storage back.
func believe(file string, v beit.ViTConfig, set *nn.Set) error {
	err := weights.Believable(v, set.Count())
	if err != nil {
		set.Release()
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// ofRun says whether a model file is that of a run.
func ofRun(path string) bool {
	f, err := state.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return train.IsRun(f)
}

func (v verified) print(a *app) error {
	pairs := [][2]string{
		{"file", v.File}, {"kind", v.Kind}, {"parameters", fmt.Sprint(v.Parameters)}, {"picture size", fmt.Sprint(v.ImageSize)}, {"output", v.Output},
	}
	if v.Aside != "" {
		pairs = append(pairs, [2]string{"not looked at", v.Aside})
	}
	err := printPairs(a.out, pairs...)
	if err != nil {
		return err
	}
	var t table
	t.add("after block", "size of numbers", "share that differs between patches")
	for i, b := range v.Blocks {
		t.add(fmt.Sprint(i), number(b.RMS), percent(b.Spread))
	}
	if err := t.print(a.out); err != nil {
		return err
	}
	if len(v.Findings) > 0 {
		return nil
	}
	_, err = fmt.Fprintln(a.out, "looks alive: nothing dead, saturated, damaged or at chance")
	return err
}
