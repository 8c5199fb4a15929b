package train

import (
	"time"

	"github.com/gobeit/gobeit/beit"
)

// Stage names what a run trains.
type Stage string

// The stages.
const (
	Tokenizer Stage = "tokenizer"
	Pretrain  Stage = "pretrain"
	Teacher   Stage = "teacher"  // self-distillation
	Finetune  Stage = "finetune" // supervised training
)

// Stages lists all stages in the order in which they build on each other.
func Stages() []Stage { return []Stage{Teacher, Tokenizer, Pretrain, Finetune} }

// Config is the whole configuration of a run. Its TOML form is a run's config.toml.
type Config struct {
	Stage     Stage  `toml:"stage"`
	Preset    string `toml:"preset"`    // what the other values began as
	Seed      uint64 `toml:"seed"`      // of everything that is random
	Precision string `toml:"precision"` // of matrix products: "highest", "high" or "medium"
	InitFrom  string `toml:"init_from"` // model file or run folder whose weights the run starts with, in stage finetune of any kind; empty: random ones

	Data      DataConfig       `toml:"data"`
	Train     TrainConfig      `toml:"train"`
	Log       LogConfig        `toml:"log"`
	Tokenizer *TokenizerConfig `toml:"tokenizer"` // in stage tokenizer
	Pretrain  *PretrainConfig  `toml:"pretrain"`  // in stage pretrain
	Teacher   *TeacherConfig   `toml:"teacher"`   // in stage teacher
	Finetune  *FinetuneConfig  `toml:"finetune"`  // in stage finetune
}

// DataConfig says what pictures a run sees.
type DataConfig struct {
	Path        string     `toml:"path"`         // folder or .tar, or "procedural:N" for N drawn pictures
	EvalPath    string     `toml:"eval_path"`    // validation pictures, where path holds none
	ValFraction float64    `toml:"val_fraction"` // part of the training pictures set aside when there are no validation pictures; 0: none
	Limit       int        `toml:"limit"`        // use at most this many training pictures, drawn at random; 0: all
	Labelled    float64    `toml:"labelled"`     // part of each class's training pictures that is used; 1: all, labelled or not
	CacheMB     int        `toml:"cache_mb"`     // decoded pictures kept in memory
	Unreadable  float64    `toml:"unreadable"`   // part of an epoch's pictures that may be unreadable
	Upright     bool       `toml:"upright"`      // turn pictures as their EXIF orientation says; the reference does not
	Augment     string     `toml:"augment"`      // "crop": jitter and random resized crop; "pad-crop": small shifts; "none"; in stage teacher always "multi-crop"
	Jitter      float64    `toml:"jitter"`       // strength of colour changes with "crop" and "multi-crop"; in stage finetune where rand_magnitude is 0
	Pad         int        `toml:"pad"`          // pixels with "pad-crop"
	Eval        EvalConfig `toml:"eval"`
}

// EvalConfig says how pictures are shown in validation.
type EvalConfig struct {
	Whole bool `toml:"whole"` // the largest central square; else the central part, 7/8 of its side
	Batch int  `toml:"batch"` // pictures in a batch
	Limit int  `toml:"limit"` // use at most this many pictures; 0: all
}

// TrainConfig holds optimisation and schedule.
type TrainConfig struct {
	beit.Training               // batch is the number of pictures in an update
	Accum         int           `toml:"accum"`       // parts that an update's pictures are processed in, to save memory
	LRScaling     string        `toml:"lr_scaling"`  // of lr with batch/lr_batch: "none", "linear" or "sqrt"
	LRBatch       int           `toml:"lr_batch"`    // the batch that lr is meant for
	OpenWarmup    bool          `toml:"open_warmup"` // the warm-up of w steps is lr·t/w, as in the reference run; else lr·t/(w-1)
	TimeBudget    time.Duration `toml:"time_budget"` // chooses epochs by the measured speed; 0: epochs counts
}

// LogConfig says what a run writes, and when.
type LogConfig struct {
	Every      int `toml:"every"`      // updates between step records
	Checkpoint int `toml:"checkpoint"` // updates between checkpoints, besides those at the end of each epoch; 0: none
	Keep       int `toml:"keep"`       // checkpoints kept
	EvalEvery  int `toml:"eval_every"` // epochs between validations; the last epoch always has one
}

// TokenizerConfig is what only the tokenizer stage has.
type TokenizerConfig struct {
	Teacher      string          `toml:"teacher"`       // "hog", "hog-ref", "run", "clip" or "dino"
	TeacherRun   string          `toml:"teacher_run"`   // file or run folder of the model that teaches, with "run"
	TeacherBlock int             `toml:"teacher_block"` // the block whose output it is, from 1; 0: ⌈2L/3⌉
	TeacherFile  string          `toml:"teacher_file"`  // safetensors file of the published network, with "clip" or "dino"
	KMeansTokens int             `toml:"kmeans_tokens"` // k-means gathers batches until it has so many tokens, and 4·codes at least; with augment "none" one epoch at most
	Reseed       bool            `toml:"reseed"`        // replace codes that are hardly used
	Model        beit.VQKDConfig `toml:"model"`
}

// PretrainConfig is what only the pretraining stage has.
type PretrainConfig struct {
	Target       string          `toml:"target"`        // "codes", or "features" to predict what the tokenizer's teacher says
	Tokenizer    string          `toml:"tokenizer"`     // file or run folder of the tokenizer
	ShuffleCodes bool            `toml:"shuffle_codes"` // a control: codes are exchanged between all patches of the data set
	Mask         beit.MaskConfig `toml:"mask"`
	Model        beit.MIMConfig  `toml:"model"`
}

// TeacherConfig is what only the teacher stage has.
type TeacherConfig struct {
	Crops      beit.CropConfig    `toml:"crops"`
	TempEpochs int                `toml:"temp_epochs"` // over which the teacher's temperature goes from start_temp to teacher_temp
	HoldEpochs int                `toml:"hold_epochs"` // in the beginning, in which the head's last layer is held
	Model      beit.DistillConfig `toml:"model"`
}

// FinetuneConfig is what only the fine-tuning stage has. Its fields but for these three are those of beit.FineTuning.
type FinetuneConfig struct {
	Network string  `toml:"network"` // "vit", or "clip": CLIP's image tower
	Norm    string  `toml:"norm"`    // how pixels are normalised: "imagenet", "inception" (to [-1, 1]) or "clip"
	EMA     float64 `toml:"ema"`     // decay of the moving average of weights that becomes the model, such as 0.9999; 0: none

	LayerDecay    float64        `toml:"layer_decay"`    // of the learning rate from a block to the one below; 1: none
	Smoothing     float64        `toml:"smoothing"`      // of labels
	Mixup         float64        `toml:"mixup"`          // parameters of Beta distributions; 0: off
	Cutmix        float64        `toml:"cutmix"`         // as mixup
	RandMagnitude float64        `toml:"rand_magnitude"` // of RandAugment, up to 10; 0: none
	RandOps       int            `toml:"rand_ops"`       // its operations on a picture
	Erase         float64        `toml:"erase"`          // probability that a rectangle is erased
	Model         beit.ViTConfig `toml:"model"`          // classes = 0: as many as the training pictures have
}
