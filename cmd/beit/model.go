package main

import (
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/weights"
)

// modelArg names the model of a command. The command says what model that is: modelArg `set:"model_is=Classifier"`.
type modelArg struct {
	Model string `arg:"" help:"${model_is}: a run folder, a model file, or the name of a published one, which 'beit pull' lists."`
	keyFlag
}

// keyFlag chooses one of several models in a file.
type keyFlag struct {
	Key string `placeholder:"NAME" help:"Which model, where a file has several: the key it stands under, such as model_ema or ema.module, or what its names begin with, such as student."`
}

// Kinds of published models that commands can use.
var (
	classifiers = []weights.Kind{weights.Classifier}
	tokenizers  = []weights.Kind{weights.Tokenizer}
	backbones   = []weights.Kind{weights.MIM, weights.DINO, weights.Classifier}
	encoders    = append(backbones, weights.Tokenizer)
)

// getter fetches published models of some kinds, of all where none are named. It refuses others before they are fetched.
func (m modelArg) getter(a *app, kinds []weights.Kind) model.Getter {
	return func(p model.Published, path string) error {
		if len(kinds) > 0 && !slices.Contains(kinds, p.Kind) {
			return fmt.Errorf("%s: is a %s, and wanted is a %s", p.Short, p.Kind, kinds[0])
		}
		return a.get(p, path)
	}
}

// options are those of model.Open.
func (m modelArg) options(a *app, kinds []weights.Kind) []model.Option {
	return []model.Option{model.Key(m.Key), model.Fetching(m.getter(a, kinds))}
}

// open opens the model, and tells what of it was left out, taken or assumed.
func (m modelArg) open(a *app, kinds []weights.Kind) (*model.Model, error) {
	opened, err := model.Open(m.Model, m.options(a, kinds)...)
	if err != nil {
		return nil, err
	}
	newReporter(a.errOut).damaged(opened.Warnings())
	return opened, nil
}

// openWith is open by a function of package infer.
func openWith[M infer.Model](a *app, m modelArg, kinds []weights.Kind, open func(string, infer.Options) (M, error)) (opened M, err error) {
	path, err := model.Find(m.Model, m.getter(a, kinds))
	if err != nil {
		return opened, err
	}
	if opened, err = open(path, infer.Options{Device: a.dev, Key: m.Key}); err != nil {
		return opened, err
	}
	newReporter(a.errOut).damaged(opened.Warnings())
	return opened, nil
}
