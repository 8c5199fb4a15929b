package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// ErrInterrupted is returned when a run's context was cancelled; the run can be resumed.
var ErrInterrupted = errors.New("interrupted")

// Env is what a run needs from the process around it and what does not belong to its configuration.
type Env struct {
	Device   *tensor.Device // nil: the CPU
	Source   *data.Source   // pictures of the caller's, used in place of data.path
	Reporter Reporter       // nil: silence
}

// Reporter hears how a run goes. Calls come from one goroutine, and should return quickly.
type Reporter interface {
	// Progress is called after every update and now and then during longer work.
	Progress(p Progress)
	// Record is called with every line of metrics.jsonl.
	Record(r Record)
	// Notice tells what the user should know once: a learning rate that was scaled, a batch that shrank, a file written.
	Notice(text string)
	// Warning tells what is probably wrong: dying codes, unreadable pictures.
	Warning(text string)
}

// Progress says where a run is.
type Progress struct {
	Stage         Stage
	Phase         string // "teacher", "k-means", "speed", "train", "validate", "encode"
	Done, Total   int    // of the phase: updates when training, batches otherwise
	Epoch, Epochs int    // epoch under way, from 1, and how many there are: 0 where nothing is trained
	Loss          float64
	LR            float64
	ImagesPerSec  float64
	DataWait      float64       // share of the epoch's time so far that was spent waiting for pictures
	Left          time.Duration // estimated until the end of the run; 0 when unknown
}

// Result is what a finished run leaves.
type Result struct {
	Dir    string // the run folder
	Model  string // path of the finished model
	Config Config // as resolved
	Steps  int    // updates
	Final  Record // the last validation, or the last epoch where there are no validation pictures

	Unreadable int // pictures that were left out, as far as this process read them
}

// Run trains in a new run folder dir, which is created. cfg comes from Configure.
func Run(ctx context.Context, dir string, cfg Config, env Env) (*Result, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if err := unused(dir); err != nil {
		return nil, err
	}
	r, err := newRun(dir, cfg.clone(), env, state.WriteFileAtomic)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.initFrom(); err != nil {
		return nil, err
	}
	held, err := claim(dir)
	if err != nil {
		return nil, err
	}
	defer held.Close()
	if err := unused(dir); err != nil { // another process may have been faster
		return nil, err
	}
	return r.fresh(ctx)
}

// unused refuses a folder that holds a run.
func unused(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, configFile)); err == nil {
		return fmt.Errorf("%s: already holds a run; resume it or choose another folder", dir)
	}
	return nil
}

// Resume continues the run in dir, from its beginning when it has no checkpoint yet. set are assignments as for Configure; once there
// is a checkpoint they may change only keys without influence on the result: where pictures and other runs are found, how many
// pictures may be unreadable, the size of the cache, and the number of checkpoints kept.
func Resume(ctx context.Context, dir string, env Env, set []string) (*Result, error) {
	return resume(ctx, dir, env, set, state.WriteFileAtomic)
}

// Finished returns what the run in dir left, nil when it has not come to its end or there is none.
func Finished(dir string) (*Result, error) {
	cfg, err := ReadConfig(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, cfg.Stage.modelName())); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return resultOf(dir, cfg)
}

// ReadConfig reads the configuration of the run in dir.
func ReadConfig(dir string) (Config, error) {
	name := filepath.Join(dir, configFile)
	text, err := os.ReadFile(name)
	if err != nil {
		return Config{}, fmt.Errorf("%s is not a run folder: %w", dir, err)
	}
	return parseConfig(text, name)
}

func resume(ctx context.Context, dir string, env Env, set []string, write writeFunc) (*Result, error) {
	cfg, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	text := cfg.TOML()
	for _, s := range set {
		if err := cfg.Set(s); err != nil {
			return nil, err
		}
	}
	held, err := claim(dir)
	if err != nil {
		return nil, err
	}
	defer held.Close()
	f, damaged, err := openCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	if f == nil {
		if err := cfg.Check(); err != nil {
			return nil, err
		}
		r, err := newRun(dir, cfg, env, write)
		if err != nil {
			return nil, err
		}
		defer r.close()
		if err := r.initFrom(); err != nil {
			return nil, err
		}
		r.env.Reporter.Notice(dir + " holds no checkpoint: the run starts from its beginning")
		return r.fresh(ctx)
	}
	defer f.Close()
	if err := sameConfig(f, cfg); err != nil {
		return nil, err
	}
	r, err := newRun(dir, cfg, env, write)
	if err != nil {
		return nil, err
	}
	defer r.close()
	for _, err := range damaged {
		r.env.Reporter.Warning(fmt.Sprintf("left out a damaged checkpoint: %v", err))
	}
	if err := r.restore(f); err != nil {
		return nil, err
	}
	if r.cfg.TOML() != text {
		if err := r.saveConfig(); err != nil {
			return nil, err
		}
	}
	return r.train(ctx)
}

// harmless are the keys that may differ between a run and its continuation.
var harmless = []string{
	"data.path", "data.eval_path", "data.cache_mb", "data.unreadable", "log.keep", "init_from", "tokenizer.teacher_run",
	"tokenizer.teacher_file", "pretrain.tokenizer",
}

// sameConfig refuses to continue from checkpoint f with another configuration.
func sameConfig(f *state.File, cfg Config) error {
	old, err := configOf(f)
	if err != nil {
		return err
	}
	if old.Stage != cfg.Stage {
		return fmt.Errorf("%s: comes from stage %s, the run folder's config from stage %s", f.Name(), old.Stage, cfg.Stage)
	}
	changed := slices.DeleteFunc(changedKeys(old, cfg), func(k string) bool { return slices.Contains(harmless, k) })
	if len(changed) > 0 {
		return fmt.Errorf("%s: the configuration changed since the run began: %s; resume without these changes or begin a new run",
			f.Name(), strings.Join(changed, ", "))
	}
	return nil
}

// silent is the reporter of those who gave none.
type silent struct{}

func (silent) Progress(Progress) {}
func (silent) Record(Record)     {}
func (silent) Notice(string)     {}
func (silent) Warning(string)    {}
