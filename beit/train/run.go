package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// ErrInterrupted is returned when a run's context was cancelled; the run can be resumed.
var ErrInterrupted = errors.New("interrupted")

// Env is what a run needs from the process around it and what does not belong to its configuration.
type Env struct {
	Device   *tensor.Device // nil: the CPU
	Source   *data.Source   // images of the caller's, used in place of data.path
	Reporter Reporter       // nil: silence
	Open     method.Opener  // opens the models that a configuration names; not needed where it names none
	Start    *method.Model  // the model at init_from, where it is open already; the caller closes it
	Begin    func(Preview)  // is told of a run before its first step; nil: nothing is measured for it, and whether memory is enough is not looked at
	Group    dist.Group     // the processes that train together; the caller closes it, also after an error. Nil: this one alone

	FitImages bool // let settings of a new run follow from its images: see config.Config.FitImages and HoldOut

	wanted string // fingerprint of the images that a run was begun with; empty for a new run
}

// Reporter hears how a run goes. Calls come from one goroutine and should return quickly.
type Reporter interface {
	method.Reporter
	// Record is called with every line of metrics.jsonl.
	Record(r run.Record)
	// Epoch is called at the end of every epoch, after its records.
	Epoch(e method.Epoch)
}

// Result is what a finished run leaves.
type Result struct {
	Dir    string         // the run folder
	Model  string         // path of the finished model
	Config *config.Config // as resolved
	Steps  int
	Method *method.Method
	Final  run.Record // the last validation, or the last epoch where there are no validation images

	Outcome   method.Outcome
	HasLabels bool // the training images have labels, as far as this process read them

	Diverged string // why the run diverged although it came to its end; empty: it did not

	Unreadable int // images that were left out, as far as this process read them
}

// Run trains m in a new run folder dir, which is created. cfg comes from m.Configure. The run's configuration has its paths made absolute.
//
// The processes of a group share the micro-batches of each step: with as many accumulation steps they do what one process does. All call Run with
// the same configuration and images. That of rank 0 writes the folder, and has figures in its Result.
func Run(ctx context.Context, dir string, m *method.Method, cfg *config.Config, env Env) (*Result, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if leads(env.Group) && run.Exists(dir) {
		return nil, occupied(dir)
	}
	cfg = cfg.Clone()
	cfg.Locate("")
	l, err := newLoop(ctx, dir, m, cfg, env, state.WriteFileAtomic)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if err := l.start(); err != nil {
		return nil, err
	}
	lock, err := claim(env.Group, dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if l.leads() && run.Exists(dir) { // another process may have been faster
		return nil, occupied(dir)
	}
	if env.Begin != nil {
		p, err := l.preview(ctx)
		if err != nil {
			return nil, err
		}
		env.Begin(p)
	}
	return l.fresh(ctx)
}

func occupied(dir string) error {
	return fmt.Errorf("%s: already holds a run; resume it or choose another folder", dir)
}

// Resume continues the run in dir, of one of the methods in list. A run without a checkpoint starts from its beginning.
//
// set are assignments as for Configure. Once there is a checkpoint they may change only the keys that Config.Explain calls free, which have no
// influence on the result, such as where images are found, and train.epochs. A run whose epochs change, finished or not, goes on to its new end,
// with the learning rate that a run of this length has from there on. Paths of the run's configuration are looked for as Config.Locate does.
func Resume(ctx context.Context, dir string, list method.List, env Env, set []string) (*Result, error) {
	return resume(ctx, dir, list, env, set, state.WriteFileAtomic)
}

// Finished returns what the run in dir left, nil when it has not come to its end or there is none. The model of a run that was lengthened stays until
// the new end.
func Finished(dir string, list method.List) (*Result, error) {
	if !run.Exists(dir) {
		return nil, nil
	}
	m, cfg, _, err := readConfig(dir, list)
	if err != nil || !run.Finished(dir, m.ModelFile) {
		return nil, err
	}
	cfg.Locate(dir)
	res, err := resultOf(dir, m, cfg)
	if err != nil || res.Final.Epoch < cfg.Train.Epochs {
		return nil, err
	}
	return res, nil
}

// readConfig reads the configuration of the run in dir. changed says that its checksum does not fit.
func readConfig(dir string, list method.List) (m *method.Method, cfg *config.Config, changed bool, err error) {
	text, changed, err := run.ReadConfig(dir)
	if err != nil {
		return nil, nil, false, err
	}
	m, cfg, err = list.Read(text, filepath.Join(dir, run.ConfigFile))
	return m, cfg, changed, err
}

func resume(ctx context.Context, dir string, list method.List, env Env, set []string, write run.WriteFunc) (*Result, error) {
	m, cfg, changed, err := readConfig(dir, list)
	if err != nil {
		return nil, err
	}
	old := cfg.Clone()
	moved := cfg.Locate(dir)
	for _, s := range set {
		if err := cfg.Set(s); err != nil {
			return nil, err
		}
	}
	if cfg.Precision == config.PrecisionAuto { // asked for once
		cfg.Precision = old.Precision
	}
	cfg.Locate("") // what was set
	lock, err := claim(env.Group, dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	f, damaged, err := run.OpenCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	if f != nil {
		defer f.Close()
		err = sameConfig(f, list, cfg)
	}
	if err = cmp.Or(err, cfg.Check()); err != nil {
		return nil, err
	}
	at := counted(f)
	env.wanted, env.FitImages = config.CurrentData(at.Data), false
	l, err := newLoop(ctx, dir, m, cfg, env, write)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if err := l.checkEnd(at.Step, old.Train.Epochs); err != nil {
		return nil, err
	}
	l.tell(changed, old.Notes, moved, damaged)
	if env.Begin != nil {
		env.Begin(l.facts())
	}
	if f == nil {
		if err := l.start(); err != nil {
			return nil, err
		}
		l.reporter.Notice(dir + " holds no checkpoint: the run starts from its beginning")
		return l.fresh(ctx)
	}
	if err := l.restore(f); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil { // the run will write a checkpoint in its place, or remove it
		return nil, err
	}
	if err := l.agree(); err != nil {
		return nil, err
	}
	l.tellPlace(old.Train.Epochs)
	if len(old.Notes) > 0 || !config.Equal(old, l.env.Config) {
		if err := l.saveConfig(); err != nil {
			return nil, err
		}
	}
	return l.train(ctx)
}

// tell reports what is odd about a run folder.
func (l *loop) tell(changed bool, notes []string, moved []config.Moved, damaged []error) {
	name := filepath.Join(l.dir, run.ConfigFile)
	if changed {
		l.reporter.Warning(name + " was changed since the run wrote it, by hand or by damage")
	}
	if len(notes) > 0 {
		l.reporter.Notice(name + " has names of an older version: " + strings.Join(notes, ", "))
	}
	for _, m := range moved {
		l.reporter.Notice(m.String())
	}
	method.Tell(l.reporter, damaged)
}

// sameConfig refuses to continue from checkpoint f with another configuration.
func sameConfig(f *state.File, list method.List, cfg *config.Config) error {
	_, old, err := list.Read(f.Metadata()[method.MetaConfig], f.Name())
	if err != nil {
		return err
	}
	if old.Method != cfg.Method {
		return fmt.Errorf("%s: comes from method %s, the run folder's config from method %s", f.Name(), old.Method, cfg.Method)
	}
	if changed := config.ChangedKeys(old, cfg); len(changed) > 0 {
		return fmt.Errorf("%s: the configuration changed since the run began: %s; resume without these changes or begin a new run",
			f.Name(), strings.Join(changed, ", "))
	}
	return nil
}

// Silent is the reporter of those who want none.
type Silent struct{ method.Silent }

// Record does nothing.
func (Silent) Record(run.Record) {}

// Epoch does nothing.
func (Silent) Epoch(method.Epoch) {}
