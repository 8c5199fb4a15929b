package train

import (
	"fmt"

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
	if s.file.Metadata()[metaConfig] == "" {
		s.model, err = weights.Of(s.file)
	} else {
		s.model, err = weights.Sort(s.file)
	}
	if err != nil {
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
	if s.file.Metadata()[metaConfig] != "" {
		if err := s.describeRun(); err != nil {
			return fmt.Errorf("%s: %w", s.file.Name(), err)
		}
	}
	s.model, err = s.model.Backbone()
	return err
}

// describeRun takes from a run's configuration what names and shapes do not tell.
func (s *source) describeRun() error {
	cfg, err := configOf(s.file)
	if err != nil {
		return err
	}
	switch cfg.Stage {
	case Tokenizer:
		s.vit = cfg.Tokenizer.Model.Encoder
	case Pretrain:
		s.vit = cfg.Pretrain.Model.ViT
	case Teacher:
		s.vit = cfg.Teacher.Model.ViT
	case Finetune:
		s.network, s.norm, s.vit, s.summary = cfg.Finetune.Network, cfg.Finetune.Norm, cfg.Finetune.Model, false
		s.classes, err = ClassNames(s.file)
	}
	return err
}

// has says whether the source has a tensor.
func (s *source) has(name string) bool {
	_, ok := s.model.Tensor(name)
	return ok
}
