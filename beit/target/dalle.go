package target

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// DALLE is the name of the target that DALL-E's encoder makes.
const DALLE = "dalle"

// dalle are the visual tokens of BEiT v1 (arXiv 2106.08254): the codes of DALL-E's encoder, which sees patches of 8 pixels.
var dalle = Kind{
	Name: DALLE, Method: "beit1", Title: "the codes of DALL-E's encoder, by cross-entropy", Codes: true, Tokenizer: weights.DALLE,
	Settings: []string{
		"pretrain.from_tokenizer=false", "pretrain.model.aggregation.depth=0", "pretrain.visible=0", "data.augment=" + config.AugmentCrop,
	},
	View: func(grid int) data.View {
		return data.View{Size: grid * beit.DALLEPatch, Filter: data.Lanczos, Norm: data.Unit}
	},
	New: func(s Sources) beit.Target { return dalleTarget{s.DALLE} },
}

// dalleTarget has the codes of an encoder.
type dalleTarget struct{ encoder *beit.DALLE }

var _ Slow = dalleTarget{}

// Dim is the number of codes.
func (t dalleTarget) Dim() int { return t.encoder.Config.Codes }

// Labels implements beit.Target. The codes of all patches are computed at once: convolutions do not leave any out.
func (t dalleTarget) Labels(c nn.Context, view *tensor.Tensor) beit.Labels {
	return beit.MadeCodes(c.Tape.Own(t.encoder.Codes(c, c.Tape.Constant(view))).Value())
}

// CodesOf implements Slow.
func (t dalleTarget) CodesOf(c nn.Context, view *tensor.Tensor) []int32 {
	codes := t.encoder.Codes(c, c.Tape.Constant(view))
	defer codes.Release()
	return codes.Ints()
}
