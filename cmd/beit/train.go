package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state/plain"
	"github.com/gobeit/gobeit/nn/state/regular"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// configFlags choose a configuration.
type configFlags struct {
	Preset string   `placeholder:"NAME" help:"Preset to start from (small32); 'beit config' lists them."`
	Config string   `placeholder:"FILE" help:"TOML file over the preset."`
	Set    []string `sep:"none" placeholder:"KEY=VALUE" help:"Assignment over both, for example train.clip=1; may be repeated. 'beit config METHOD --explain' lists the keys."`
}

// runFlags are those of the commands that train.
type runFlags struct {
	configFlags
	imageFlags
	keyFlag
	Out      string `placeholder:"DIR" help:"Run folder to create (runs/METHOD, numbered)."`
	Resume   string `placeholder:"RUN" help:"Continue the run in this folder; with --epochs N to another end, also if it is finished."`
	InitFrom string `placeholder:"FILE|RUN" help:"Weights to start with; --key chooses among those of a file."`
	settingFlags
	TimeBudget            time.Duration `placeholder:"5m" help:"Choose the number of epochs by the measured speed, to take so long."`
	AccumulationSteps     *int          `aliases:"accum" placeholder:"N" help:"Gradient accumulation: parts that a batch is processed in, to save memory."`
	CheckpointActivations bool          `help:"Recompute each block in backward: the same result with less memory, more time."`
	Seed                  string        `placeholder:"N" help:"Seed of everything that is random."`
	Precision             string        `placeholder:"P" help:"Of matmuls: highest (fp32), high, medium (bf16), or auto, the fastest on this processor."`
	DryRun                bool          `aliases:"plan" help:"Say what the run would be, how long it and how much memory it would take, and do no more."`
	JSON                  bool          `name:"json" help:"Print the result as JSON."`
}

// run starts or continues a run.
func (f runFlags) run(a *app, m *method.Method, extra ...string) error {
	a.train()
	if f.Resume != "" {
		return f.resume(a, m, extra...)
	}
	set, err := f.assignments(m, extra...)
	if err != nil {
		return err
	}
	r := newReporter(a.errOut)
	env := train.Env{Device: a.dev, Reporter: r, Open: a.opener(), FitImages: true, Group: a.group}
	if a.follows() {
		return f.follow(a, m, set, env)
	}
	cfg, start, err := m.Configure(f.Preset, f.Config, set, a.opener())
	var opening *method.OpenError
	if errors.As(err, &opening) {
		return err
	} else if err != nil {
		return usageError{err}
	}
	if start != nil {
		defer start.Close()
	}
	for _, note := range cfg.Notes {
		r.Notice(note)
	}
	if cfg.Data.Path == "" {
		return f.check()
	}
	env.Start = start
	if f.DryRun {
		return f.dryRun(a, r, m, cfg, env)
	}
	dir := f.Out
	if err := checkOut(dir); err != nil {
		return err
	}
	if dir == "" {
		if dir, err = freeFolder(filepath.Join("runs", m.Name)); err != nil {
			return err
		}
		defer os.Remove(dir) // which fails unless it is empty: the run could not begin
	}
	env.Begin = r.header(m, dir)
	result, err := attempt(func() (*train.Result, error) { return train.Run(a.ctx, dir, m, cfg, env) })
	return f.ended(a, r, result, err, m, dir)
}

// follow does the part of a run of which another process writes the folder.
func (f runFlags) follow(a *app, m *method.Method, set []string, env train.Env) error {
	cfg, start, err := m.Configure(f.Preset, f.Config, set, a.opener())
	if err != nil || f.DryRun || cfg.Data.Path == "" {
		return err
	}
	if start != nil {
		defer start.Close()
	}
	env.Start, env.Reporter = start, follower{w: a.errOut, rank: a.group.Rank()}
	_, err = attempt(func() (*train.Result, error) { return train.Run(a.ctx, f.Out, m, cfg, env) })
	return err
}

// resume continues the run in the folder that --resume names.
func (f runFlags) resume(a *app, m *method.Method, extra ...string) error {
	dir := f.Resume
	if f.Out != "" || f.Preset != "" || f.Config != "" || f.DryRun {
		return usagef("--resume continues a run with its own configuration: leave --out, --preset, --config and --dry-run away")
	}
	set, err := f.assignments(m, extra...)
	if err != nil {
		return err
	}
	own, cfg, err := model.ReadConfig(dir)
	if err != nil {
		return err
	}
	if own != m {
		return usagef("%s is a run of another method: continue it with %s", dir, resumeLine(a.flags, own, dir))
	}
	r := newReporter(a.errOut)
	if err := override(r, cfg, set); err != nil {
		return err
	}
	env := train.Env{Device: a.dev, Reporter: r, Open: a.opener(), Begin: r.header(m, dir), Group: a.group}
	if a.follows() {
		env.Reporter, env.Begin = follower{w: a.errOut, rank: a.group.Rank()}, nil
		_, err := attempt(func() (*train.Result, error) { return train.Resume(a.ctx, dir, model.Methods(), env, set) })
		return err
	}
	result, err := attempt(func() (*train.Result, error) { return train.Resume(a.ctx, dir, model.Methods(), env, set) })
	return f.ended(a, r, result, err, m, dir)
}

// override carries out assignments over a configuration that was read, and tells of old names in them.
func override(r *reporter, cfg *config.Config, set []string) error {
	known := len(cfg.Notes) // those of the file
	for _, s := range set {
		if err := cfg.Set(s); err != nil {
			return usageError{err}
		}
	}
	if err := cfg.Check(); err != nil {
		return usageError{err}
	}
	for _, note := range cfg.Notes[known:] {
		r.Notice(note)
	}
	return nil
}

// ended reports how a run ended.
func (f runFlags) ended(a *app, r *reporter, result *train.Result, err error, m *method.Method, dir string) error {
	r.clear()
	if err != nil {
		return a.advise(err, m, dir)
	}
	if err := experiment.Report(result); err != nil {
		return err
	}
	end := finished{Run: result.Dir, Model: result.Model, Steps: result.Steps, Final: result.Final}
	if m.Verdict != nil {
		end.Verdict = m.Verdict(result.Outcome)
	}
	if result.Diverged == "" {
		end.Next = next(a, result)
	}
	if f.JSON {
		err = printJSON(a.out, end)
	} else {
		err = end.print(a.out)
	}
	if err == nil && result.Diverged != "" {
		err = fmt.Errorf("%w: %s", train.ErrDiverged, result.Diverged)
	}
	return err
}

// finished is the result of a run as JSON.
type finished struct {
	Run   string     `json:"run"`
	Model string     `json:"model"`
	Steps int        `json:"steps"`
	Final run.Record `json:"final"`

	Verdict []string   `json:"verdict"` // sentences
	Next    [][]string `json:"next"`    // commands that go on from here: the program and its arguments
}

// print shows the result: where it lies, what it is worth, how to go on.
func (f finished) print(w io.Writer) error {
	if err := printPairs(w, [2]string{"run folder", f.Run}, [2]string{"model", f.Model}); err != nil {
		return err
	}
	var text strings.Builder
	for _, sentence := range f.Verdict {
		text.WriteString("\n" + sentence)
	}
	if len(f.Next) > 0 {
		text.WriteString("\n")
	}
	for _, command := range f.Next {
		text.WriteString("\nnext: " + plain.Text(experiment.ShellLine(command)))
	}
	_, err := fmt.Fprintln(w, text.String())
	return err
}

// attempt is f, where a device's fault is an error and no panic.
func attempt[T any](f func() (T, error)) (result T, err error) {
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

// dryRun prints what is known of a run, and ends.
func (f runFlags) dryRun(a *app, r *reporter, m *method.Method, cfg *config.Config, env train.Env) error {
	type answer struct {
		train.Preview
		err error
	}
	p, err := attempt(func() (answer, error) {
		p, err := train.Look(a.ctx, m, cfg, env)
		return answer{p, err}, nil
	})
	r.clear()
	if err = cmp.Or(err, p.err); err != nil && p.Needs == 0 {
		return err
	}
	printed := printHeader
	if f.JSON {
		printed = func(w io.Writer, p train.Preview, _ *method.Method, _ string) error { return printJSON(w, p) }
	}
	return cmp.Or(printed(a.out, p.Preview, m, f.Out), a.advise(err, m, f.Out))
}

// advise adds to the error that ended the run in dir what to do about it.
func (a *app) advise(err error, m *method.Method, dir string) error {
	var unreadable *data.UnreadableError
	var memory *train.MemoryError
	again := resumeLine(a.flags, m, dir)
	switch {
	case errors.As(err, &memory):
		return errors.New(memory.Text(asFlags(memory.Set)))
	case errors.Is(err, train.ErrInterrupted):
		return fmt.Errorf("%w; continue with: %s", err, again)
	case !run.Exists(dir):
		return err
	case errors.Is(err, vulkan.ErrDeviceLost):
		return fmt.Errorf("%w; what was saved before is whole: continue with: %s", err, again)
	case errors.Is(err, train.ErrNotFinite):
		return fmt.Errorf("%w: begin again with a lower train.lr, or with train.clip set", err)
	case errors.As(err, &unreadable) && unreadable.Failed < unreadable.Read:
		return fmt.Errorf("%w; to let more pass: %s --set data.max_unreadable=0.5", err, again)
	case regular.DiskFull(err):
		return fmt.Errorf("the disk is full; what was saved before is whole: make room and continue with: %s (%w)", again, err)
	}
	return err
}

// checkOut refuses a folder for a run that has other files in it, such as the images.
func checkOut(dir string) error {
	entries, err := os.ReadDir(dir)
	if dir == "" || err != nil || run.Exists(dir) { // what is wrong is said when the run begins
		return nil
	}
	for _, e := range entries {
		if e.Name() != run.LockFile { // of a run that could not begin
			return usagef("--out %s: has files in it, such as %s, and no run: name a new folder", dir, plain.Text(e.Name()))
		}
	}
	return nil
}

// checkExperiment refuses a folder for several runs that is itself the folder of one.
func checkExperiment(dir string) error {
	if dir != "" && run.Exists(dir) {
		return usagef("--out %s: is the folder of a run: name another one", dir)
	}
	return nil
}

// numbered is name, name-2, name-3, …
func numbered(name string, i int) string {
	if i == 1 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, i)
}

// freeFolder makes the first of name, name-2, name-3, … that does not exist, so that no other process takes it.
func freeFolder(name string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return "", fmt.Errorf("run folder: %w", err)
	}
	for i := 1; ; i++ {
		dir := numbered(name, i)
		err := os.Mkdir(dir, 0o777)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("run folder: %w", err)
		}
	}
}

// hasAssignment says whether a key stands among the assignments of --set.
func (f configFlags) hasAssignment(key string) bool {
	_, ok := f.assigned(key)
	return ok
}

// assigned is the value that --set gives a key last.
func (f configFlags) assigned(key string) (value string, ok bool) {
	for _, s := range f.Set {
		if k, v, _ := strings.Cut(s, "="); strings.TrimSpace(k) == key {
			value, ok = strings.Trim(v, " \""), true
		}
	}
	return value, ok
}
