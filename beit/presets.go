package beit

import (
	"fmt"
	"maps"
	"slices"
)

// Training holds what a training loop needs besides the model. LR is the peak rate at batch size Batch.
type Training struct {
	Epochs       int     `toml:"epochs"`
	Batch        int     `toml:"batch"`
	LR           float64 `toml:"lr"`
	MinLR        float64 `toml:"min_lr"`
	WarmupEpochs int     `toml:"warmup_epochs"` // in which the rate rises; where they would fill the whole run, half of it
	Beta1        float64 `toml:"beta1"`
	Beta2        float64 `toml:"beta2"`
	Eps          float64 `toml:"eps"`
	Decay        float64 `toml:"weight_decay"`
	Clip         float64 `toml:"clip"`           // bound on the gradient's 2-norm; 0: none
	MinCropScale float64 `toml:"min_crop_scale"` // smallest area of a random crop
}

// TokenizerRecipe is a tokenizer with how to train it.
type TokenizerRecipe struct {
	Model   VQKDConfig `toml:"model"`
	Teacher string     `toml:"teacher"` // "clip", "dino", "hog", "hog-ref", "run"
	Train   Training   `toml:"train"`
}

// MIMRecipe is a model for masked image modelling with how to train it.
type MIMRecipe struct {
	Model     MIMConfig  `toml:"model"`
	Mask      MaskConfig `toml:"mask"`
	Tokenizer string     `toml:"tokenizer"` // the preset of the tokenizer that makes its targets
	Train     Training   `toml:"train"`
}

// DistillRecipe is a network that teaches itself, with how.
type DistillRecipe struct {
	Model DistillConfig `toml:"model"`
	Crops CropConfig    `toml:"crops"`

	TempEpochs int      `toml:"temp_epochs"` // over which the teacher's temperature goes from its start to its end
	HoldEpochs int      `toml:"hold_epochs"` // in the beginning, in which the head's last layer is held
	Train      Training `toml:"train"`       // min_crop_scale is the smallest area of a small crop
}

// CropConfig says what crops of a picture student and teacher see, besides two large ones of the network's picture size.
type CropConfig struct {
	Small     int     `toml:"small"`      // small crops of a picture
	SmallSize int     `toml:"small_size"` // side that they are resized to
	Split     float64 `toml:"split"`      // the largest area of a small crop and the smallest of a large one
}

// FineTuning holds the settings of supervised training that starts from a pretrained model.
type FineTuning struct {
	Model         ViTConfig `toml:"model"` // without classes
	Train         Training  `toml:"train"`
	LayerDecay    float64   `toml:"layer_decay"` // of the learning rate from a block to the one below; 1: none
	Smoothing     float64   `toml:"smoothing"`   // of labels
	Mixup         float64   `toml:"mixup"`       // parameters of Beta distributions; 0: off
	Cutmix        float64   `toml:"cutmix"`
	RandMagnitude float64   `toml:"rand_magnitude"` // of RandAugment; 0: none
	RandOps       int       `toml:"rand_ops"`       // operations on a picture
	Erase         float64   `toml:"erase"`          // probability that a rectangle is erased
}

// TokenizerPreset returns a named recipe: the published ones (microsoft/unilm, beit2/TOKENIZER.md) and small ones
// of our own.
func TokenizerPreset(name string) (TokenizerRecipe, error) {
	return find("tokenizer", tokenizers, name)
}

// MIMPreset returns a named recipe: the published ones (microsoft/unilm, beit2/PRETRAINING.md), the authors' other models with
// settings of the nearest recipe, and small ones of our own.
func MIMPreset(name string) (MIMRecipe, error) { return find("pretraining", mims, name) }

// DistillPreset returns a named recipe of our own.
func DistillPreset(name string) (DistillRecipe, error) {
	return find("teacher", distillations, name)
}

// DistillPresets lists the names that DistillPreset knows.
func DistillPresets() []string { return slices.Sorted(maps.Keys(distillations)) }

// ViTPreset returns a named backbone as a classifier is fine-tuned from it, without classes.
func ViTPreset(name string) (ViTConfig, error) { return find("model", vits, name) }

// FineTuningPreset returns the published settings for ImageNet-1k by the pretraining that went before, those for ImageNet-21k ("base_to_21k",
// "large_to_21k"; both microsoft/unilm, beit2/get_started_for_image_classification.md), or small ones of our own.
func FineTuningPreset(name string) (FineTuning, error) { return find("fine-tuning", fineTunings, name) }

// TokenizerPresets lists the names that TokenizerPreset knows.
func TokenizerPresets() []string { return slices.Sorted(maps.Keys(tokenizers)) }

// MIMPresets lists the names that MIMPreset knows.
func MIMPresets() []string { return slices.Sorted(maps.Keys(mims)) }

// ViTPresets lists the names that ViTPreset knows.
func ViTPresets() []string { return slices.Sorted(maps.Keys(vits)) }

// FineTuningPresets lists the names that FineTuningPreset knows.
func FineTuningPresets() []string { return slices.Sorted(maps.Keys(fineTunings)) }

func find[T any](kind string, table map[string]T, name string) (T, error) {
	if v, ok := table[name]; ok {
		return v, nil
	}
	var none T
	return none, fmt.Errorf("%s preset %q does not exist; did you mean %q?", kind, name, Nearest(name, slices.Sorted(maps.Keys(table))))
}

// Nearest returns the name that the fewest edits separate from s, the first on ties.
func Nearest(s string, names []string) string {
	best, least := "", -1
	for _, n := range names {
		if d := edits(s, n); least < 0 || d < least {
			best, least = n, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two strings, by bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := min(row[j], row[j+1]) + 1
			if a[i] == b[j] {
				d = min(d, diagonal)
			} else {
				d = min(d, diagonal+1)
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
