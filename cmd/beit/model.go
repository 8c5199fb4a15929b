package main

import (
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/mae"
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

// wanted says which published models a command can use.
type wanted struct {
	what  string
	kinds []weights.Kind // all where there are none
}

var (
	anyModel    = wanted{}
	classifiers = wanted{"a classifier", []weights.Kind{weights.Classifier}}
	tokenizers  = wanted{"a tokenizer", []weights.Kind{weights.Tokenizer}}
	backbones   = wanted{"a backbone or classifier", []weights.Kind{weights.MIM, mae.Kind, weights.DINO, weights.Classifier}}
	encoders    = wanted{"a backbone, tokenizer or classifier", append(backbones.kinds, weights.Tokenizer)}
)

// getter fetches published models that are wanted. It refuses others before they are fetched.
func (w wanted) getter(a *app) model.Getter {
	return func(p model.Published, path string) error {
		if len(w.kinds) > 0 && !slices.Contains(w.kinds, p.Kind) {
			return fmt.Errorf("%s holds a %s, wanted is %s", p.Short, p.Kind, w.what)
		}
		return a.get(p, path)
	}
}

// options are those of model.Open.
func (m modelArg) options(a *app, w wanted) []model.Option {
	return []model.Option{model.Key(m.Key), model.Fetching(w.getter(a))}
}

// open opens the model, and tells what of it was left out, taken or assumed.
func (m modelArg) open(a *app, w wanted) (*model.Model, error) {
	opened, err := model.Open(m.Model, m.options(a, w)...)
	if err != nil {
		return nil, err
	}
	newReporter(a.errOut).damaged(opened.Warnings())
	return opened, nil
}

// openWith is open by a function of package infer.
func openWith[M infer.Model](a *app, m modelArg, w wanted, open func(string, infer.Options) (M, error)) (opened M, err error) {
	path, err := model.Find(m.Model, w.getter(a))
	if err != nil {
		return opened, err
	}
	if opened, err = open(path, infer.Options{Device: a.dev, Key: m.Key}); err != nil {
		return opened, err
	}
	newReporter(a.errOut).damaged(opened.Warnings())
	return opened, nil
}
