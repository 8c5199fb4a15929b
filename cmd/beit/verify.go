package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/figure"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// verifyCmd is "beit verify".
type verifyCmd struct {
	modelArg `set:"model_is=Model"`
	JSON     bool `name:"json" help:"Print as JSON."`
}

// verified is what a network is and does.
type verified struct {
	File       string `json:"file"`
	Kind       string `json:"kind"`
	Parameters int    `json:"parameters"`
	ImageSize  int    `json:"image_size"`
	ImageWidth int    `json:"image_width,omitempty"` // where it is another
	Aside      string `json:"aside,omitempty"`       // what was not looked at
	model.Health
}

// errUnhealthy ends the command when a network looks wrong.
var errUnhealthy = errors.New("the network looks wrong")

// Run runs the network on synthetic images.
func (c *verifyCmd) Run(a *app) error {
	m, network, set, err := c.build(a)
	if err != nil {
		return err
	}
	defer m.Close()
	defer set.Release()
	info := verified{File: m.Path, Kind: string(m.Kind), Parameters: set.Count(), ImageSize: m.Input.Size, ImageWidth: m.Input.Width, Aside: aside[m.Kind]}
	if info.Health, err = model.Verify(a.dev, network, m.Input); err != nil {
		return fmt.Errorf("%s: %w", m.Path, err)
	}
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

// aside is what Verify does not run.
var aside = map[weights.Kind]string{weights.Tokenizer: "the decoder"}

// build builds the network of a run, or of a published file.
func (c *verifyCmd) build(a *app) (m *model.Model, network any, set *nn.Set, err error) {
	if m, err = c.open(a, anyModel); err != nil {
		return nil, nil, nil, err
	}
	if v, ok := m.ViT(); m.Run && ok {
		if err := weights.CheckPlausible(v, m.Parameters()); err != nil { // far more memory than the file
			m.Close()
			return nil, nil, nil, fmt.Errorf("%s: %w", m.Path, err)
		}
	}
	if network, set, err = m.Build(a.dev); err != nil {
		m.Close()
	}
	return m, network, set, err
}

func (v verified) print(a *app) error {
	pairs := [][2]string{
		{"file", v.File}, {"kind", v.Kind}, {"parameters", fmt.Sprint(v.Parameters)}, {"image size", fmt.Sprint(v.ImageSize)}, {"output", v.Output},
	}
	if v.Aside != "" {
		pairs = append(pairs, [2]string{"not looked at", v.Aside})
	}
	err := printPairs(a.out, pairs...)
	if err != nil {
		return err
	}
	var t experiment.Table
	t.Add("after block", "activation RMS", "share that differs between patches")
	for i, b := range v.Blocks {
		t.Add(fmt.Sprint(i), figure.Number(b.RMS), method.Percent(b.Spread))
	}
	if err := t.Print(a.out); err != nil {
		return err
	}
	if len(v.Findings) > 0 {
		return nil
	}
	_, err = fmt.Fprintln(a.out, "looks alive: nothing dead, saturated, damaged or at chance")
	return err
}
