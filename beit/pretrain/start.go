package pretrain

import (
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// start is the tokenizer, where the backbone is to begin as its encoder.
func start(c *config.Config) (path, key string) {
	if s := SectionOf(c); s.FromTokenizer {
		return s.Tokenizer, "pretrain.tokenizer"
	}
	return "", ""
}

// adapt fits a preset to the tokenizer that the run starts from: the backbone's blocks are those of its encoder, unless the file has a shape of its
// own. Models of other kinds change nothing. In images of another size, as large a part of the patches is masked.
func adapt(base *config.Config, over config.Layers, start *method.Model) error {
	fromTokenizer := start != nil && start.Kind == weights.Tokenizer
	if fromTokenizer && !over.InFile("pretrain.model.vit.width") {
		Become(base, start.Weights.VQKD.Encoder)
	}
	c, err := over.Over(base)
	if err != nil {
		return err
	}
	if v := SectionOf(c).Model.ViT; v.PatchSize > 0 && v.Square() && v.Grid() != SectionOf(base).Model.ViT.Grid() && v.Tokens() <= config.MostPatches {
		SectionOf(base).Mask = MaskFor(v.Grid())
		if c, err = over.Over(base); err != nil {
			return err
		}
	}
	if !fromTokenizer {
		return nil
	}
	c.Derive()
	if err := c.Check(); err != nil {
		return err
	}
	set := nn.NewSet()
	beit.NewMIM(set.Scope(), SectionOf(c).Model)
	if _, err = fitEncoder(set.Params(), start); err != nil && SectionOf(c).FromTokenizer {
		return fmt.Errorf("pretrain.from_tokenizer: %w; with pretrain.from_tokenizer=false the backbone may have another shape", err)
	}
	if err != nil {
		return fmt.Errorf("init_from: %w", err)
	}
	return nil
}

// Become makes the backbone of c the encoder v of a tokenizer. Patch aggregation begins as deep as before, and as many patches are hidden.
func Become(c *config.Config, v beit.ViTConfig) {
	s := SectionOf(c)
	old := s.Model.ViT
	v.DropPath, v.MeanPool = old.DropPath, old.MeanPool
	s.Model.ViT = v
	if a := &s.Model.Aggregation; v.Depth != old.Depth {
		a.Layer = (a.Layer*v.Depth + old.Depth - 1) / old.Depth
	}
	if v.Grid() != old.Grid() {
		s.Mask = MaskFor(v.Grid())
	}
}

// fitEncoder matches parameters with the encoder of a tokenizer, whose last norm is called after what a classifier of its kind would pool.
func fitEncoder(params []*nn.Param, m *method.Model) (*weights.Fit, error) {
	encoder, err := m.Weights.Backbone()
	if err != nil {
		return nil, err
	}
	return encoder.Renamed("fc_norm.", "norm.").Fit(params, weights.ToMIM)
}

// StartFrom takes the weights of a backbone, or those of a tokenizer's encoder. That one sees images in [-1, 1], the backbone those normalised as
// ImageNet's: the patch embedding takes the difference in.
func (t *task) StartFrom(m *method.Model) error {
	if m.Kind != weights.Tokenizer {
		return method.StartStrictly(t, Method, m)
	}
	fit, err := fitEncoder(t.set.Params(), m)
	if err != nil {
		return err
	}
	if err := fit.Load(); err != nil {
		return err
	}
	if err := weights.Renormalize(t.set.Params(), data.Inception, card(t.Config).Input.Norm); err != nil {
		return err
	}
	t.Reporter.Notice(fmt.Sprintf("%s: the blocks start as its encoder's, %d tensors; mask token and heads are new", m.Path, len(fit.Report.Loaded)))
	return nil
}
