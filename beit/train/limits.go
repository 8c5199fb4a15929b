package train

import (
	"reflect"
	"strings"

	"github.com/gobeit/gobeit/beit"
)

// What is refused before memory is asked for: far above anything published, and too much for any machine that trains here.
const (
	mostOfAny   = 1 << 24 // of whatever a key counts, drawn pictures too
	mostPatches = 1 << 16 // of a picture
	mostBlocks  = 1 << 10 // of a network
	mostCrops   = 64      // small ones of a picture
	mostNumbers = 1 << 33 // in the parameters of a part of a model
)

// limits refuses sizes that no machine holds.
func (c Config) limits(k *checker) {
	for _, f := range c.fields() {
		if f.value.Kind() == reflect.Int && !strings.HasPrefix(f.key, "log.") {
			k.must(f.value.Int() <= mostOfAny, "%s = %d: must be at most %d", f.key, f.value.Int(), mostOfAny)
		}
	}
	if len(k.errs) > 0 {
		return
	}
	numbers := func(table string, rows, cols int) {
		k.must(float64(rows)*float64(cols) <= mostNumbers, "%s: %d x %d parameters: no machine holds them", table, rows, cols)
	}
	vit := func(table string, v beit.ViTConfig) {
		if v.PatchSize > 0 {
			k.must(v.Tokens() <= mostPatches, "%s: %d x %d patches: must be at most %d", table, v.Grid(), v.Grid(), mostPatches)
			numbers(table+".patch_size", v.PatchSize*v.PatchSize*v.Channels, v.Width)
		}
		k.must(v.Depth <= mostBlocks, "%s: %d blocks: must be at most %d", table, v.Depth, mostBlocks)
		blocks := float64(v.Depth) * float64(v.Width) * float64(v.Width) * (4 + 2*v.MLPRatio)
		k.must(blocks <= mostNumbers, "%s: %d blocks of width %d have %.3g parameters: no machine holds them", table, v.Depth, v.Width, blocks)
	}
	if c.Tokenizer != nil {
		m := c.Tokenizer.Model
		vit("tokenizer.model.encoder", m.Encoder)
		vit("tokenizer.model.decoder", m.Decoder)
		numbers("tokenizer.model.codes", m.Codes, m.CodeDim)
	}
	if c.Pretrain != nil {
		m := c.Pretrain.Model
		vit("pretrain.model.vit", m.ViT)
		numbers("pretrain.model.vocab", m.Vocab, m.ViT.Width)
		k.must(m.HeadLayers <= mostBlocks, "pretrain.model.head_layers = %d: must be at most %d", m.HeadLayers, mostBlocks)
	}
	if c.Finetune != nil {
		m := c.Finetune.Model
		vit("finetune.model", m)
		numbers("finetune.model.classes", m.Classes, m.Width)
	}
	if c.Teacher != nil {
		m := c.Teacher.Model
		vit("teacher.model.vit", m.ViT)
		numbers("teacher.model.hidden", m.Hidden, max(m.Hidden, m.ViT.Width))
		numbers("teacher.model.outputs", m.Outputs, m.Bottleneck)
	}
}
