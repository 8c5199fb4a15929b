package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// configFlags choose a configuration.
type configFlags struct {
	Preset string   `placeholder:"NAME" help:"Preset to start from (small32); 'beit config' lists them."`
	Config string   `placeholder:"FILE" help:"TOML file over the preset."`
	Set    []string `sep:"none" placeholder:"KEY=VALUE" help:"Assignment over both, for example train.epochs=20; may be repeated."`
}

// runFlags are those of the commands that train.
type runFlags struct {
	configFlags
	Data        string        `placeholder:"DIR|TAR" help:"Pictures: a folder or .tar file, with train/ and val/ inside or without; procedural:N draws N pictures."`
	EvalData    string        `placeholder:"DIR|TAR" help:"Validation pictures, where the data have no val/."`
	ValFraction float64       `placeholder:"F" help:"Part of the pictures set aside for validation, where there are none."`
	Out         string        `placeholder:"DIR" help:"Run folder to create (runs/STAGE, numbered)."`
	Resume      string        `placeholder:"RUN" help:"Continue the run in this folder."`
	InitFrom    string        `placeholder:"FILE|RUN" help:"Weights to start with."`
	TimeBudget  time.Duration `placeholder:"5m" help:"Choose the number of epochs by the measured speed, to take so long."`
	Accum       *int          `placeholder:"N" help:"Parts that a batch is processed in, to save memory."`
	Seed        string        `placeholder:"N" help:"Seed of everything that is random."`
	Precision   string        `placeholder:"P" help:"Of matrix products: highest, high or medium."`
	Plan        bool          `help:"Say how much memory the run would take, and do no more."`
	JSON        bool          `name:"json" help:"Print the result as JSON."`
}

// assignments are what the flags stand for, then those of --set. extra come first.
func (f runFlags) assignments(extra ...string) []string {
	list := extra
	add := func(key, value string, given bool) {
		if given {
			list = append(list, key+"="+value)
		}
	}
	add("data.path", f.Data, f.Data != "")
	add("data.eval_path", f.EvalData, f.EvalData != "")
	add("data.val_fraction", strconv.FormatFloat(f.ValFraction, 'g', -1, 64), f.ValFraction != 0)
	add("init_from", f.InitFrom, f.InitFrom != "")
	add("train.time_budget", f.TimeBudget.String(), f.TimeBudget != 0)
	if f.Accum != nil {
		add("train.accum", strconv.Itoa(*f.Accum), true)
	}
	add("seed", f.Seed, f.Seed != "")
	add("precision", f.Precision, f.Precision != "")
	return append(list, f.Set...)
}

// run starts or continues a run.
func (f runFlags) run(a *app, stage train.Stage, extra ...string) error {
	r := newReporter(a.errOut)
	env := train.Env{Device: a.dev, Reporter: r}
	var result *train.Result
	var err error
	dir := f.Resume
	if f.Resume != "" {
		if f.Out != "" || f.Preset != "" || f.Config != "" || f.Plan {
			return usagef("--resume continues a run with its own configuration: leave --out, --preset, --config and --plan away")
		}
		if err := resumes(stage, dir, f.assignments(extra...)); err != nil {
			return err
		}
		result, err = attempt(func() (*train.Result, error) { return train.Resume(a.ctx, dir, env, f.assignments(extra...)) })
	} else {
		var cfg train.Config
		if cfg, err = train.Configure(stage, f.Preset, f.Config, f.assignments(extra...)); err != nil {
			return usageError{err}
		}
		if cfg.Data.Path == "" {
			return usagef("name the pictures with --data DIR or --data FILE.tar")
		}
		if f.Plan {
			return f.plan(a, cfg)
		}
		if dir = f.Out; dir == "" {
			if dir, err = freeFolder(filepath.Join("runs", string(stage))); err != nil {
				return err
			}
			defer os.Remove(dir) // which fails unless it is empty: the run could not begin
		}
		result, err = attempt(func() (*train.Result, error) { return train.Run(a.ctx, dir, cfg, env) })
	}
	r.clear()
	if err != nil {
		return advise(err, stage, dir)
	}
	if err := writeReport(result); err != nil {
		return err
	}
	return f.report(a, result)
}

// attempt is f, where a device's fault is an error and no panic.
func attempt(f func() (*train.Result, error)) (result *train.Result, err error) {
	defer func() {
		p := recover()
		if fault, ok := p.(*tensor.Error); ok && fault.Err != nil {
			err = fault
		} else if p != nil {
			panic(p)
		}
	}()
	return f()
}

// plan prints what the run would need.
func (f runFlags) plan(a *app, cfg train.Config) error {
	m, err := train.Plan(a.ctx, cfg, train.Env{Reporter: newReporter(a.errOut)})
	if err != nil {
		return err
	}
	if f.JSON {
		return printJSON(a.out, m)
	}
	gib := func(bytes int64) string { return fmt.Sprintf("%.2f GiB", float64(bytes)/(1<<30)) }
	parts := ""
	if m.Accum > 1 {
		parts = fmt.Sprintf(" in %d parts", m.Accum)
	}
	return printPairs(a.out,
		[2]string{"model", gib(m.Model) + "  weights, gradients, moments of the optimizer, networks that make targets"},
		[2]string{"update", fmt.Sprintf("%s  activations and work space for %d pictures%s; --accum N takes about an N-th", gib(m.Step), m.Batch, parts)},
		[2]string{"process", fmt.Sprintf("%s  and up to %d MiB of cached pictures", gib(processBytes), cfg.Data.CacheMB)},
		[2]string{"peak", gib(m.Peak() + processBytes)})
}

// processBytes is what the process takes besides tensors and cached pictures, as measured: code, batches under way, garbage.
const processBytes = mostGarbage + 80<<20

// advise adds to the error that ended the run in dir what to do about it.
func advise(err error, stage train.Stage, dir string) error {
	var unreadable *data.UnreadableError
	_, none := os.Stat(filepath.Join(dir, "config.toml"))
	switch {
	case errors.Is(err, train.ErrInterrupted):
		return fmt.Errorf("%w; continue with: beit %s --resume %s", err, command(stage), dir)
	case none != nil:
		return err
	case errors.Is(err, vulkan.ErrDeviceLost):
		return fmt.Errorf("%w; what was saved before is whole: continue with: beit %s --resume %s", err, command(stage), dir)
	case errors.Is(err, train.ErrNotFinite):
		return fmt.Errorf("%w: begin again with a lower train.lr, or with train.clip set", err)
	case errors.As(err, &unreadable) && unreadable.Failed < unreadable.Read:
		return fmt.Errorf("%w; to let more pass: beit %s --resume %s --set data.unreadable=0.5", err, command(stage), dir)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk is full; what was saved before is whole: make room and continue with: beit %s --resume %s (%w)", command(stage), dir, err)
	}
	return err
}

// resumes says what is wrong with resuming the run in dir as one of the given stage, with assignments.
func resumes(stage train.Stage, dir string, assignments []string) error {
	cfg, err := train.ReadConfig(dir)
	if err != nil {
		return err
	}
	if cfg.Stage != stage {
		return usagef("%s is a run of another stage: continue it with beit %s --resume %s", dir, command(cfg.Stage), dir)
	}
	if _, err := train.Configure(stage, "", filepath.Join(dir, "config.toml"), assignments); err != nil {
		return usageError{err}
	}
	return nil
}

// command is what trains a stage.
func command(stage train.Stage) string {
	switch stage {
	case train.Tokenizer:
		return "tokenizer train"
	case train.Teacher:
		return "teacher train"
	case train.Finetune:
		return "finetune"
	}
	return "pretrain"
}

// freeFolder makes the first of name, name-2, name-3, … that does not exist, so that no other process takes it.
func freeFolder(name string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return "", fmt.Errorf("run folder: %w", err)
	}
	for i := 1; ; i++ {
		dir := name
		if i > 1 {
			dir = fmt.Sprintf("%s-%d", name, i)
		}
		err := os.Mkdir(dir, 0o777)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("run folder: %w", err)
		}
	}
}

// writeReport leaves report.html in the folder of a finished run.
func writeReport(r *train.Result) error {
	records, err := train.ReadMetrics(r.Dir)
	if err != nil {
		return err
	}
	return report.HTML(filepath.Join(r.Dir, "report.html"), r.Config, records)
}

// finished is the result of a run as JSON.
type finished struct {
	Run   string       `json:"run"`
	Model string       `json:"model"`
	Steps int          `json:"steps"`
	Final train.Record `json:"final"`
}

func (f runFlags) report(a *app, r *train.Result) error {
	if f.JSON {
		return printJSON(a.out, finished{r.Dir, r.Model, r.Steps, r.Final})
	}
	return printPairs(a.out, [2]string{"run folder", r.Dir}, [2]string{"model", r.Model})
}

// pretrainCmd is "beit pretrain".
type pretrainCmd struct {
	runFlags
	Tokenizer string `placeholder:"FILE|RUN" help:"Tokenizer that makes the codes."`
}

// Run pretrains a backbone.
func (c *pretrainCmd) Run(a *app) error {
	var extra []string
	if c.Tokenizer != "" {
		extra = append(extra, "pretrain.tokenizer="+c.Tokenizer)
	} else if c.Resume == "" && c.Config == "" && !strings.Contains(strings.Join(c.Set, " "), "pretrain.tokenizer=") {
		return usagef("name the tokenizer with --tokenizer RUN; 'beit tokenizer train' makes one")
	}
	return c.run(a, train.Pretrain, extra...)
}

// teacherCmd groups the commands about teachers.
type teacherCmd struct {
	Train teacherTrainCmd `cmd:"" help:"Train a vision transformer by self-distillation (DINO): it can teach a tokenizer, and be probed."`
}

// teacherTrainCmd is "beit teacher train".
type teacherTrainCmd struct{ runFlags }

// Run trains a teacher.
func (c *teacherTrainCmd) Run(a *app) error { return c.run(a, train.Teacher) }

// tokenizerTrainCmd is "beit tokenizer train".
type tokenizerTrainCmd struct {
	runFlags
	Teacher     string `placeholder:"NAME|RUN" help:"Who teaches: hog, hog-ref, the run folder of a pretrained backbone or trained teacher, or, with --teacher-file, clip or dino."`
	TeacherFile string `placeholder:"FILE" help:"Weights of the published CLIP or DINO network, as published or from Hugging Face."`
}

// Run trains a tokenizer.
func (c *tokenizerTrainCmd) Run(a *app) error {
	var extra []string
	switch c.Teacher {
	case "":
	case "hog", "hog-ref", "clip", "dino":
		extra = append(extra, "tokenizer.teacher="+c.Teacher)
	default:
		if _, err := os.Stat(c.Teacher); err != nil {
			return usagef("--teacher %s: neither hog, hog-ref, clip or dino nor a run folder or model file that exists", c.Teacher)
		}
		extra = append(extra, "tokenizer.teacher=run", "tokenizer.teacher_run="+c.Teacher)
	}
	if c.TeacherFile != "" {
		extra = append(extra, "tokenizer.teacher_file="+c.TeacherFile)
	}
	return c.run(a, train.Tokenizer, extra...)
}
