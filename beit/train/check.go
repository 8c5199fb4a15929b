package train

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/tensor"
)

// Check says what is wrong with the configuration, naming the keys.
func (c Config) Check() error {
	var k checker
	if c.limits(&k); len(k.errs) > 0 {
		return k.err() // what is below takes products
	}
	_, err := tensor.ParsePrecision(c.Precision)
	k.must(err == nil, "precision = %q: must be one of highest, high, medium", c.Precision)
	k.must(c.Seed <= math.MaxInt64, "seed = %d: must be below 2^63", c.Seed)
	d := c.Data
	if c.Stage == Teacher {
		k.oneOf("data.augment", d.Augment, augmentMulti)
	} else {
		k.oneOf("data.augment", d.Augment, augmentCrop, augmentPad, augmentNone)
	}
	k.must(d.ValFraction >= 0 && d.ValFraction < 1, "data.val_fraction = %g: must be in [0, 1)", d.ValFraction)
	k.must(d.Unreadable > 0 && d.Unreadable <= 1, "data.unreadable = %g: must be in (0, 1]", d.Unreadable)
	k.must(d.Jitter >= 0 && d.Jitter <= 1, "data.jitter = %g: must be in [0, 1]", d.Jitter)
	k.atLeast("data.limit", d.Limit, 0)
	k.must(d.Labelled > 0 && d.Labelled <= 1, "data.labelled = %g: must be in (0, 1]", d.Labelled)
	k.atLeast("data.cache_mb", d.CacheMB, 0)
	k.atLeast("data.pad", d.Pad, 0)
	k.atLeast("data.eval.batch", d.Eval.Batch, 1)
	k.atLeast("data.eval.limit", d.Eval.Limit, 0)
	t := c.Train
	k.atLeast("train.epochs", t.Epochs, 1)
	k.atLeast("train.batch", t.Batch, 1)
	k.atLeast("train.accum", t.Accum, 1)
	k.must(t.Accum < 1 || t.Batch%t.Accum == 0, "train.accum = %d: must divide train.batch = %d", t.Accum, t.Batch)
	k.atLeast("train.lr_batch", t.LRBatch, 1)
	k.atLeast("train.warmup_epochs", t.WarmupEpochs, 0)
	k.oneOf("train.lr_scaling", t.LRScaling, "none", "linear", "sqrt")
	k.finite("train.lr", t.LR)
	k.finite("train.min_lr", t.MinLR)
	k.finite("train.weight_decay", t.Decay)
	k.finite("train.clip", t.Clip)
	k.must(t.Eps > 0 && t.Eps < 1, "train.eps = %g: must be in (0, 1)", t.Eps)
	k.must(t.Beta1 >= 0 && t.Beta1 < 1, "train.beta1 = %g: must be in [0, 1)", t.Beta1)
	k.must(t.Beta2 >= 0 && t.Beta2 < 1, "train.beta2 = %g: must be in [0, 1)", t.Beta2)
	k.must(t.MinCropScale > 0 && t.MinCropScale <= 1, "train.min_crop_scale = %g: must be in (0, 1]", t.MinCropScale)
	k.must(t.TimeBudget >= 0, "train.time_budget = %s: must not be negative", t.TimeBudget)
	k.atLeast("log.every", c.Log.Every, 1)
	k.atLeast("log.checkpoint", c.Log.Checkpoint, 0)
	k.atLeast("log.keep", c.Log.Keep, 1)
	k.atLeast("log.eval_every", c.Log.EvalEvery, 1)
	if c.Tokenizer != nil {
		c.Tokenizer.check(&k)
	}
	if c.Pretrain != nil {
		c.Pretrain.check(&k)
	}
	if c.Teacher != nil {
		c.Teacher.check(&k)
		split := c.Teacher.Crops.Split
		k.must(split >= t.MinCropScale && split <= 1, "teacher.crops.split = %g: must be between train.min_crop_scale = %g and 1", split, t.MinCropScale)
	}
	if c.Finetune != nil {
		c.Finetune.check(&k)
	}
	if d.Augment == augmentPad && len(k.errs) == 0 {
		k.must(d.Pad < c.imageSize(), "data.pad = %d: must be below the picture's side %d", d.Pad, c.imageSize())
	}
	return k.err()
}

func (t *TokenizerConfig) check(k *checker) {
	k.oneOf("tokenizer.teacher", t.Teacher, teacherNames...)
	k.must(t.Teacher != teacherRun || t.TeacherRun != "", "tokenizer.teacher_run: name the run that teaches")
	k.atLeast("tokenizer.teacher_block", t.TeacherBlock, 0)
	k.atLeast("tokenizer.kmeans_tokens", t.KMeansTokens, 0)
	k.model("tokenizer.model", t.Model.Check())
}

func (p *PretrainConfig) check(k *checker) {
	k.oneOf("pretrain.target", p.Target, targetCodes, targetFeatures)
	k.must(!p.ShuffleCodes || p.Target == targetCodes, "pretrain.shuffle_codes: needs pretrain.target = %q", targetCodes)
	k.model("pretrain.model", p.Model.Check())
	m := p.Mask
	if p.Model.ViT.PatchSize > 0 {
		grid := p.Model.ViT.Grid()
		k.must(m.Rows == grid && m.Cols == grid, "pretrain.mask.rows = %d, pretrain.mask.cols = %d: must both be %d, as many as the model's patches",
			m.Rows, m.Cols, grid)
	}
	k.must(m.Count >= 1 && m.Count < m.Rows*m.Cols, "pretrain.mask.count = %d: must be in 1 … %d", m.Count, m.Rows*m.Cols-1)
	k.atLeast("pretrain.mask.min_block", m.MinBlock, 1)
	k.atLeast("pretrain.mask.max_block", m.MaxBlock, 0)
}

func (t *TeacherConfig) check(k *checker) {
	k.model("teacher.model", t.Model.Check())
	k.atLeast("teacher.temp_epochs", t.TempEpochs, 0)
	k.atLeast("teacher.hold_epochs", t.HoldEpochs, 0)
	k.must(t.Crops.Small >= 0 && t.Crops.Small <= mostCrops, "teacher.crops.small = %d: must be in 0 … %d", t.Crops.Small, mostCrops)
	size, patch := t.Crops.SmallSize, t.Model.ViT.PatchSize
	k.must(size >= 1 && size <= t.Model.ViT.ImageSize && patch > 0 && size%patch == 0,
		"teacher.crops.small_size = %d: must be a multiple of teacher.model.vit.patch_size = %d and at most image_size = %d", size, patch, t.Model.ViT.ImageSize)
}

func (f *FinetuneConfig) check(k *checker) {
	k.oneOf("finetune.network", f.Network, networkViT, networkCLIP)
	k.oneOf("finetune.norm", f.Norm, slices.Sorted(maps.Keys(norms))...)
	k.must(f.EMA >= 0 && f.EMA < 1, "finetune.ema = %g: must be in [0, 1)", f.EMA)
	k.must(f.LayerDecay > 0 && f.LayerDecay <= 1, "finetune.layer_decay = %g: must be in (0, 1]", f.LayerDecay)
	k.must(f.Smoothing >= 0 && f.Smoothing < 1, "finetune.smoothing = %g: must be in [0, 1)", f.Smoothing)
	k.finite("finetune.mixup", f.Mixup)
	k.finite("finetune.cutmix", f.Cutmix)
	k.must(f.RandMagnitude >= 0 && f.RandMagnitude <= 10, "finetune.rand_magnitude = %g: must be in [0, 10]", f.RandMagnitude)
	k.atLeast("finetune.rand_ops", f.RandOps, 0)
	k.must(f.Erase >= 0 && f.Erase <= 1, "finetune.erase = %g: must be in [0, 1]", f.Erase)
	k.model("finetune.model", f.Model.Check())
}

// checker collects what is wrong.
type checker struct{ errs []error }

func (k *checker) must(ok bool, format string, args ...any) {
	if !ok {
		k.errs = append(k.errs, fmt.Errorf(format, args...))
	}
}

func (k *checker) oneOf(key, value string, allowed ...string) {
	k.must(slices.Contains(allowed, value), "%s = %q: must be one of %s", key, value, strings.Join(allowed, ", "))
}

func (k *checker) finite(key string, v float64) {
	k.must(v >= 0 && !math.IsInf(v, 1), "%s = %g: must be a number that is not negative", key, v)
}

func (k *checker) atLeast(key string, v, least int) {
	k.must(v >= least, "%s = %d: must be at least %d", key, v, least)
}

func (k *checker) model(table string, err error) {
	if err != nil {
		k.errs = append(k.errs, fmt.Errorf("%s: %w", table, err))
	}
}

// err is everything that is wrong, on one line.
func (k *checker) err() error {
	if len(k.errs) == 0 {
		return nil
	}
	var parts []string
	for _, err := range k.errs {
		parts = append(parts, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return errors.New("config: " + strings.Join(parts, "; "))
}
