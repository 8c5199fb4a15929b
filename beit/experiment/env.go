package experiment

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// Env is what an experiment needs from the process around it.
type Env struct {
	Device   *tensor.Device // nil: the CPU
	Reporter train.Reporter // nil: silence
	Open     method.Opener  // opens models that settings name; nil: model.Opener, which fetches none
}

func (e Env) open() method.Opener {
	if e.Open == nil {
		return model.Opener()
	}
	return e.Open
}

func (e Env) device() *tensor.Device {
	if e.Device == nil {
		return tensor.CPU()
	}
	return e.Device
}

func (e Env) reporter() train.Reporter { return cmp.Or[train.Reporter](e.Reporter, train.Silent{}) }

// skipped warns of an image that cannot be read.
func (e Env) skipped(s data.Skipped) { e.reporter().Warning(method.SkippedText(s)) }

// RunError is what ended one run of an experiment.
type RunError struct {
	Dir    string
	Method *method.Method
	Err    error
}

// Error is that of the run.
func (e *RunError) Error() string { return e.Err.Error() }

// Unwrap is the run's own error.
func (e *RunError) Unwrap() error { return e.Err }

// Train runs m in dir, or continues what is there, and leaves report.html in the folder. A finished run is taken as it is.
func Train(ctx context.Context, e Env, dir string, m *method.Method, preset string, set []string) (*train.Result, error) {
	result, err := train.Finished(dir, model.Methods())
	if err != nil {
		return nil, err
	}
	if result != nil {
		if _, changed, err := run.ReadConfig(dir); err == nil && changed { // a run that is continued tells it itself
			e.reporter().Warning(filepath.Join(dir, run.ConfigFile) + " was changed since the run wrote it, by hand or by damage")
		}
		return result, nil
	}
	env := train.Env{Device: e.Device, Reporter: e.Reporter, Open: e.open()}
	if run.Exists(dir) {
		result, err = train.Resume(ctx, dir, model.Methods(), env, nil)
	} else {
		var cfg *config.Config
		cfg, env.Start, err = m.Configure(preset, "", set, env.Open)
		if err != nil {
			return nil, err
		}
		if env.Start != nil {
			defer env.Start.Close()
		}
		result, err = train.Run(ctx, dir, m, cfg, env)
	}
	if err != nil {
		return nil, &RunError{dir, m, err}
	}
	return result, Report(result)
}

// Report leaves report.html in the folder of a finished run: what is known without opening images or the model.
func Report(r *train.Result) error {
	shown, err := report.Read(r.Dir, model.With(r.Method))
	if err != nil {
		return err
	}
	return report.HTML(filepath.Join(r.Dir, run.ReportFile), "", shown)
}

// EvalEnv is what measuring a model on images needs, outside a run. eval says how many images are shown, and how.
func EvalEnv(e Env, m *method.Method, c *config.Config, eval config.Eval, train, val data.Dataset) *method.Env {
	c = c.Clone()
	c.Data.Eval, c.Train.Epochs = eval, 0 // progress is that of no epoch
	return &method.Env{
		Method: m, Config: c, Device: e.device(), Tape: autograd.NewTape(e.device()), Group: dist.Single(), Train: train, Val: val,
		Reporter: e.reporter(), Skipped: once(e.skipped),
	}
}

// once is f for each image's first time.
func once(f func(data.Skipped)) func(data.Skipped) {
	seen := map[string]bool{}
	return func(s data.Skipped) {
		if !seen[s.Name] {
			seen[s.Name] = true
			f(s)
		}
	}
}

// openLabelled opens labelled images of both parts, the classes numbered alike.
func openLabelled(c *config.Config, size int) (*method.Images, error) {
	images, err := method.OpenImages(c, size, nil)
	if err != nil {
		return nil, err
	}
	if images.Val == nil {
		err = wrong("there are no validation images: name some with --eval-data, or set a part aside with --val-fraction 0.1")
	} else {
		err = labelled(images)
	}
	if err != nil {
		images.Close()
		return nil, err
	}
	return images, nil
}

// labelled refuses images without labels, of either part, and numbers the classes of both alike.
func labelled(i *method.Images) error {
	for _, ds := range []data.Dataset{i.Train, i.Val} {
		if len(ds.Classes()) == 0 {
			return wrong("%s: probes and fine-tuning need labels, of the validation images too: %s", i.Path, data.WhyUnlabelled(ds))
		}
	}
	var err error
	if i.Val, err = data.Relabel(i.Val, i.Train.Classes()); err != nil {
		return fmt.Errorf("validation images: %w", err)
	}
	return nil
}
