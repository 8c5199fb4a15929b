package train

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state"
)

// Networks that can be fine-tuned.
const (
	networkViT  = "vit"
	networkCLIP = "clip"
)

// Names of normalisations.
const (
	normImageNet  = "imagenet"
	normInception = "inception"
	normCLIP      = "clip"
)

var norms = map[string]data.Norm{
	normImageNet: data.ImageNet, normInception: data.Inception, normCLIP: {Mean: beit.CLIPMean, Std: beit.CLIPStd},
}

// source is a model that a classifier starts from: its tensors under the names that the classifier has, and what it says about its shape.
type source struct {
	file    *state.File
	model   *weights.Model
	network string
	norm    string
	vit     beit.ViTConfig
	summary bool     // the class token is what it was trained for, so a classifier looks at that
	classes []string // names of its own classes, where they are known
}

// openSource opens the model at path, a file or a run folder: one of any stage, or a published file that package weights knows. The tensors
// are read when they are asked for; close the source's file after that.
func openSource(path string) (*source, error) {
	if stage, err := ModelStage(path); err == nil {
		if path, err = modelFile(path, stage); err != nil {
			return nil, err
		}
	}
	f, err := state.Open(path)
	if err != nil {
		return nil, err
	}
	s := &source{file: f, network: networkViT, norm: normImageNet}
	if err := s.describe(); err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

// describe tells which model the file holds.
func (s *source) describe() (err error) {
	var cfg Config // of a run
	if s.model, cfg, err = modelOf(s.file); err != nil {
		return err
	}
	s.vit = s.model.ViT
	switch s.model.Kind {
	case weights.CLIP:
		s.network, s.norm, s.summary = networkCLIP, normCLIP, true
	case weights.Tokenizer:
		s.norm = normInception
	case weights.DINO:
		s.summary = true
	}
	if cfg.Stage == Finetune {
		s.network, s.norm, s.summary = cfg.Finetune.Network, cfg.Finetune.Norm, false
	}
	if s.classes, err = ClassNames(s.model); err != nil {
		return err
	}
	s.model, err = s.model.Backbone()
	return err
}

// OpenWeights opens a model file with its configuration. Close it after the last read.
func OpenWeights(path string) (*weights.Model, error) {
	f, err := state.Open(path)
	if err != nil {
		return nil, err
	}
	m, _, err := modelOf(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return m, nil
}

// modelOf is the model in a file, and the configuration of the run that made it, if one did: that tells what names and shapes do not, such as
// the number of heads.
func modelOf(f *state.File) (m *weights.Model, cfg Config, err error) {
	if !IsRun(f) {
		m, err = weights.Of(f)
		return m, cfg, err
	}
	if cfg, err = configOf(f); err != nil {
		return nil, cfg, err
	}
	if m, err = weights.Sort(f); err != nil {
		return nil, cfg, err
	}
	switch cfg.Stage {
	case Tokenizer:
		m.VQKD, m.ViT = cfg.Tokenizer.Model, cfg.Tokenizer.Model.Encoder
	case Pretrain:
		m.MIM, m.ViT = cfg.Pretrain.Model, cfg.Pretrain.Model.ViT
	case Teacher:
		m.ViT = cfg.Teacher.Model.ViT
	case Finetune:
		m.ViT = cfg.Finetune.Model
	}
	return m, cfg, nil
}

// has says whether the source has a tensor.
func (s *source) has(name string) bool {
	_, ok := s.model.Tensor(name)
	return ok
}
