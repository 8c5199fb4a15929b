package train

import (
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/weights"
)

// publishedConfig is the configuration of the nearest recipe with the network of a published file.
func publishedConfig(m *weights.Model) (Config, error) {
	switch m.Kind {
	case weights.Tokenizer:
		c, err := preset(Tokenizer, "vqkd_encoder_base_decoder_3x768x12_clip")
		if err == nil {
			c.Tokenizer.Model = m.VQKD
		}
		return c, err
	case weights.MIM:
		c, err := preset(Pretrain, beit.MIMPresets()[0])
		if err == nil {
			c.Pretrain.Model = m.MIM
		}
		return c, err
	case weights.DINO:
		c, err := preset(Teacher, beit.DistillPresets()[0])
		if err == nil {
			c.Teacher.Model.ViT = m.ViT
		}
		return c, err
	case weights.Classifier:
		c, err := preset(Finetune, "base_1600e")
		if err == nil {
			c.Finetune.Model = m.ViT
		}
		return c, err
	}
	return Config{}, fmt.Errorf("%s: holds a %s, which is no model of a run", m.File().Name(), m.Kind)
}
