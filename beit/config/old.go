package config

import "strings"

// oldMethods are former names of methods.
var oldMethods = map[string]string{"teacher": "dino"}

// CurrentMethod is the present name of a method.
func CurrentMethod(name string) string {
	if now, ok := oldMethods[name]; ok {
		return now
	}
	return name
}

// oldKeys are former names of keys and what they are called now. Files of old runs have them.
var oldKeys = map[string]string{
	"stage": "method",

	"data.labelled": "data.label_fraction", "data.unreadable": "data.max_unreadable", "data.upright": "data.exif_transpose",
	"train.accum": "train.accumulation_steps", "train.open_warmup": "train.warmup_offset",

	"pretrain.model.early_layer": "pretrain.model.aggregation.layer",
	"pretrain.model.head_layers": "pretrain.model.aggregation.depth",
	"pretrain.model.shared_head": "pretrain.model.aggregation.shared_head",

	"dino.hold_epochs": "dino.freeze_last_layer_epochs", "dino.temp_epochs": "dino.warmup_teacher_temp_epochs",
}

// CurrentKey is the present name of a key.
func CurrentKey(key string) string {
	if rest, ok := strings.CutPrefix(key, "teacher."); ok {
		key = "dino." + rest
	} else if key == "teacher" {
		key = "dino"
	}
	if now, ok := oldKeys[key]; ok {
		return now
	}
	return key
}

// CurrentData is the present form of the sentence that tells data sets apart in a checkpoint. Old runs say "pictures" for images.
func CurrentData(sentence string) string {
	for _, part := range []string{"training", "validation"} {
		sentence = strings.ReplaceAll(sentence, part+" pictures", part+" images")
	}
	return sentence
}
