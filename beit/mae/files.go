package mae

import (
	"math"
	"strings"

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
func recognize(w *weights.Model) (card method.Card, c *config.Config, ok bool) {
	embed, withDecoder := w.Tensor(nameDecoder)
	if w.Kind != weights.DINO || !withDecoder && !fixedPositions(w) {
		return card, nil, false
	}
	c = spec.Preset(spec.Paper)
	s := SectionOf(c)
	drop := s.Model.ViT.DropPath
	s.Model.ViT = w.ViT
	s.Model.ViT.DropPath = drop
	network := s.Model
	network.Decoder = DecoderConfig{}
	if withDecoder && len(embed.Shape) == 2 {
		d := embed.Shape[0]
		network.Decoder = DecoderConfig{Width: d, Depth: decoderBlocks(w), Heads: max(d/32, 1)}
		s.Model.Decoder = network.Decoder
	}
	if c.Check() != nil {
		return card, nil, false
	}
	card = cardOf(c, network)
	card.Method = ""
	return card, c, true
}

// decoderBlocks counts the decoder's blocks.
func decoderBlocks(w *weights.Model) int {
	seen := map[string]bool{}
	for _, name := range w.Names() {
		if rest, ok := strings.CutPrefix(name, "decoder_blocks."); ok {
			number, _, _ := strings.Cut(rest, ".")
			seen[number] = true
		}
	}
	return len(seen)
}

// fixedPositions says whether the positions of a file are the fixed table.
func fixedPositions(w *weights.Model) bool {
	const tolerance = 2e-3 // of a file in 16 bits
	if w.ViT.Width%4 != 0 {
		return false
	}
	values, err := w.Values("pos_embed")
	if err != nil {
		return false
	}
	table := Positions(w.ViT.Width, w.ViT.Grid())
	if len(values) != len(table) {
		return false
	}
	for i, v := range values {
		if math.Abs(float64(v-table[i])) > tolerance {
			return false
		}
	}
	return true
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
