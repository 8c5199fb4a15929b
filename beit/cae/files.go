package cae

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
)

// recognize tells published files: whole ones by the names of their tensors, encoders by the fixed positions. Package weights finds the encoder in either.
func recognize(w *weights.Model) *method.Recognized {
	if w.Kind != weights.Classifier {
		return nil
	}
	if _, whole := w.File().Entry(nameHead); whole {
		return recognizeWhole(w)
	}
	v := w.ViT
	_, norm := w.Tensor("norm.weight")
	if !norm || v.Classes > 0 || v.RelPos != beit.RelPosNone || v.Width%4 != 0 || !w.Near("pos_embed", Positions(v.Width, v.Grid())) {
		return nil
	}
	return recognized(w, NetworkConfig{ViT: v})
}

// recognizeWhole tells the network of a file with regressor and decoder. The number of heads is that of a published size of the width, or else the usual 64
// numbers a head.
func recognizeWhole(encoder *weights.Model) *method.Recognized {
	w, err := weights.FromFileAs(encoder.File(), Kind, prefixTeacher)
	if err != nil {
		return nil
	}
	head, _ := w.Tensor(nameHead)
	if len(head.Shape) != 2 {
		return nil
	}
	w.ViT = encoder.ViT
	width := head.Shape[1]
	n := NetworkConfig{ViT: w.ViT, Vocab: head.Shape[0], Neck: NeckConfig{
		Width: width, Heads: max(width/64, 1), RegressorDepth: w.CountBlocks(prefixNeck + "regressor_blocks."), DecoderDepth: w.CountBlocks(prefixNeck + "decoder_blocks."),
	}}
	if _, scaled := w.Tensor(prefixNeck + "decoder_blocks.0.gamma_1"); scaled {
		n.Neck.LayerScale = 0.1 // only its presence matters: the values will be loaded
	}
	return recognized(w, n)
}

// recognized is a file's network, with the configuration of the nearest preset; nil where it is none.
func recognized(w *weights.Model, n NetworkConfig) *method.Recognized {
	c := spec.Preset(spec.Paper)
	s := SectionOf(c)
	n.Glorot, n.ViT.DropPath = s.Model.Glorot, s.Model.ViT.DropPath
	n.ViT = Shape(n.ViT)
	s.Model.ViT = n.ViT
	if n.Neck.DecoderDepth > 0 {
		s.Model = n
	}
	if c.Check() != nil {
		return nil
	}
	card := cardOf(c, n)
	card.Method = ""
	return &method.Recognized{Card: card, Config: c, Weights: w}
}

// encoder is a model without regressor and decoder, under the names of the authors' fine-tuning.
func encoder(m *method.Model) *weights.Model {
	return m.Weights.Part(weights.Classifier, "model", prefixNeck, nameWiden, "mask_token").Renamed(prefixEncoder, "")
}

func card(c *config.Config) method.Card { return cardOf(c, SectionOf(c).Model) }

// cardOf describes a network, of a run or of a file that may lack regressor and decoder.
func cardOf(c *config.Config, n NetworkConfig) method.Card {
	return method.Card{
		Method: name, Kind: Kind, Network: &n, Beside: []string{prefixTeacher},
		Input: method.Input{Size: n.ViT.ImageSize, Grid: n.ViT.Grid(), Norm: data.ImageNet, Whole: c.Data.Eval.Whole},
	}
}
