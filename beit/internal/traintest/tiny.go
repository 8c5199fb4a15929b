package traintest

import (
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// Tiny configures a run that takes a fraction of a second: images of 16 in 4 x 4 patches, width 32, two blocks, 32 codes.
func Tiny(t testing.TB, m *method.Method, set ...string) *config.Config {
	t.Helper()
	return TinyFrom(t, m, nil, set...)
}

// TinyFrom is Tiny for a run that starts from a model, which open opens.
func TinyFrom(t testing.TB, m *method.Method, open method.Opener, set ...string) *config.Config {
	t.Helper()
	c, start, err := m.Configure("", "", append(tinyValues(m), set...), open)
	if err != nil {
		t.Fatal(err)
	}
	if start != nil {
		start.Close()
	}
	return c
}

// tinyValues are the assignments that m has keys for.
func tinyValues(m *method.Method) (list []string) {
	c := m.Preset(m.Presets[0])
	keys := c.Keys()
	for _, kv := range tiny {
		if key, _, _ := strings.Cut(kv, "="); slices.Contains(keys, key) {
			list = append(list, kv)
		}
	}
	if c.Data.Augment != config.AugmentMulti {
		list = append(list, "data.augment="+config.AugmentCrop)
	}
	return list
}

var tiny = slices.Concat(
	[]string{"precision=highest", "data.path=procedural:40", "data.eval.batch=4", "train.batch=8", "train.epochs=2", "log.every=2", "log.keep=2"},
	shape("tokenizer.model.encoder."),
	[]string{
		"tokenizer.model.decoder.width=32", "tokenizer.model.decoder.heads=2", "tokenizer.model.codes=32", "tokenizer.model.code_dim=8",
		"tokenizer.kmeans_tokens=300",
	},
	shape("dino.model.vit."),
	[]string{
		"dino.model.hidden=24", "dino.model.bottleneck=8", "dino.model.outputs=32", "dino.crops.small=2", "dino.crops.small_size=8",
		"dino.warmup_teacher_temp_epochs=1", "dino.model.start_temp=0.06",
	},
	shape("pretrain.model.vit."),
	[]string{
		"pretrain.model.aggregation.layer=1", "pretrain.mask.count=6", "pretrain.mask.min_block=4", "pretrain.model.vit.drop_path=0.2",
		"pretrain.from_tokenizer=false", // so that a backbone needs no tokenizer of its shape
	},
	shape("cae.model.vit."),
	[]string{
		"cae.model.neck.width=16", "cae.model.neck.heads=2", "cae.model.neck.regressor_depth=2", "cae.model.neck.decoder_depth=2",
		"cae.model.vit.drop_path=0.2", "cae.model.vit.layer_scale=0.1",
	},
	shape("mae.model.vit."),
	[]string{"mae.model.decoder.width=16", "mae.model.decoder.depth=1", "mae.model.decoder.heads=2", "mae.model.vit.drop_path=0.2"},
	shape("splitmask.model.vit."),
	[]string{
		"splitmask.model.decoder.width=16", "splitmask.model.decoder.depth=1", "splitmask.model.decoder.heads=2", "splitmask.model.vit.drop_path=0.2",
	},
	shape("finetune.model."),
	[]string{"finetune.rand_magnitude=9", "finetune.rand_ops=2", "finetune.erase=0.25", "finetune.model.drop_path=0.2"},
	shape("segment.model.vit."),
	[]string{
		"segment.model.vit.image_size=32", "segment.model.vit.patch_size=8", "segment.model.vit.drop_path=0.2", "segment.model.head_channels=8",
		"segment.model.aux_channels=6",
	},
)

// shape makes the vision transformer in a table small.
func shape(table string) (list []string) {
	for _, kv := range []string{"image_size=16", "patch_size=4", "width=32", "depth=2", "heads=2"} {
		list = append(list, table+kv)
	}
	return list
}
