package mae

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
)

// The names of tensors that only the decoder has. Published encoders lack them.
const (
	prefixDecoder = "decoder_"
	nameMaskToken = "mask_token"
	nameDecoder   = "decoder_embed.weight"
)

// recognize tells published files, which have the names of DINO's: with a decoder by its tensors, without one by the fixed positions. The
// decoder has the usual 32 numbers a head.
func recognize(w *weights.Model) *method.Recognized {
	embed, withDecoder := w.Tensor(nameDecoder)
	if w.Kind != weights.DINO || !withDecoder && !fixedPositions(w) {
		return nil
	}
	c := spec.Preset(spec.Paper)
	s := SectionOf(c)
	drop := s.Model.ViT.DropPath
	s.Model.ViT = w.ViT
	s.Model.ViT.DropPath = drop
	network := s.Model
	network.Decoder = DecoderConfig{}
	if withDecoder && len(embed.Shape) == 2 {
		d := embed.Shape[0]
		network.Decoder = DecoderConfig{Width: d, Depth: w.CountBlocks("decoder_blocks."), Heads: max(d/32, 1)}
		s.Model.Decoder = network.Decoder
	}
	if c.Check() != nil {
		return nil
	}
	card := cardOf(c, network)
	card.Method = ""
	return &method.Recognized{Card: card, Config: c, Weights: w}
}

// fixedPositions says whether the positions of a file are the fixed table.
func fixedPositions(w *weights.Model) bool {
	return w.ViT.Width%4 == 0 && w.Near("pos_embed", Positions(w.ViT.Width, w.ViT.Grid()))
}

// encoder is a model without its decoder, which is a file as the authors publish it for fine-tuning.
func encoder(m *method.Model) *weights.Model { return EncoderOf(m) }

// EncoderOf is the encoder of a model with a Body, without tensors whose names begin with one of heads. It differs from DINO in its positions alone.
func EncoderOf(m *method.Model, heads ...string) *weights.Model {
	return m.Weights.Part(weights.DINO, "model", append(heads, prefixDecoder, nameMaskToken)...)
}

func card(c *config.Config) method.Card { return cardOf(c, SectionOf(c).Model) }

// cardOf describes a network, of a run or of a file that may lack the decoder.
func cardOf(c *config.Config, n NetworkConfig) method.Card {
	return method.Card{
		Method: name, Kind: Kind, Network: &n,
		Input: method.Input{Size: n.ViT.ImageSize, Grid: n.ViT.Grid(), Norm: data.ImageNet, Whole: c.Data.Eval.Whole},
	}
}
