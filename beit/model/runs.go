package model

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
)

// StateDamaged is the state of a folder that has files of a run which cannot be read. Runs have the others of package run.
const StateDamaged run.State = "damaged"

// Listed is a run folder as a list shows it.
type Listed struct {
	Dir     string    `json:"run"`
	State   run.State `json:"state"`
	Method  string    `json:"method,omitempty"`
	Preset  string    `json:"preset,omitempty"`
	Done    int       `json:"epochs_done"`
	Epochs  int       `json:"epochs"`
	Step    int       `json:"step"`                   // steps done
	Total   int       `json:"steps"`                  // of the whole run; both are 0 for runs of older versions
	Left    float64   `json:"seconds_left,omitempty"` // an estimate, of a run that is under way
	Metric  string    `json:"metric,omitempty"`       // what Value is; see Digest.Figure
	Value   *float64  `json:"value,omitempty"`
	Updated time.Time `json:"updated"`
	Bytes   int64     `json:"bytes"`             // of all files
	Problem string    `json:"problem,omitempty"` // what is damaged or missing, or why the run failed
}

// List lists the runs in a folder and in those below it. Folders that cannot be read are listed as damaged.
func List(ctx context.Context, root string, options ...Option) ([]Listed, error) {
	list := []Listed{}
	err := Walk(ctx, root, func(dir string, err error) {
		if err != nil {
			list = append(list, Unread(dir, err))
			return
		}
		list = append(list, Look(dir, options...))
	}, options...)
	return list, err
}

// Unread is what List says of a folder that cannot be read.
func Unread(dir string, err error) Listed {
	return Listed{Dir: dir, State: StateDamaged, Problem: err.Error()}
}

// Walk calls found for each run folder in root and below it, and with an error for each folder that cannot be read.
func Walk(ctx context.Context, root string, found func(dir string, err error), options ...Option) error {
	if _, err := os.ReadDir(root); err != nil {
		return err
	}
	methods := all(options).methods
	return fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		dir := filepath.Join(root, filepath.FromSlash(name))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			found(dir, err)
			return fs.SkipDir
		case !d.IsDir() || !holdsRun(dir, methods):
			return nil
		}
		found(dir, nil)
		return fs.SkipDir
	})
}

// holdsRun says whether a folder has files of a run. Other programs have a config.toml too.
func holdsRun(dir string, list method.List) bool {
	for _, name := range []string{run.StatusFile, run.MetricsFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	text, _, err := run.ReadConfig(dir)
	if err != nil {
		return false
	}
	name, err := config.MethodOf(text)
	return err == nil && slices.Contains(list.Names(), name)
}

// Look says of one run what List says of many.
func Look(dir string, options ...Option) Listed {
	l := Listed{Dir: dir}
	l.Bytes, l.Updated = sizeOf(dir)
	m, c, err := Settings(dir, options...)
	if err != nil {
		l.note(err)
	} else {
		l.Method, l.Preset, l.Epochs = m.Name, c.Preset, c.Train.Epochs
	}
	s := l.status(m)
	digest, err := ReadDigest(dir, m)
	if err != nil {
		l.note(err)
	}
	l.Left = digest.Left(s).Seconds()
	if m != nil && err == nil {
		l.Metric, l.Value = digest.Figure(m)
	}
	return l
}

// Settings reads the configuration of the run in dir. The method is also returned with some errors.
func Settings(dir string, options ...Option) (*method.Method, *config.Config, error) {
	text, _, err := run.ReadConfig(dir)
	if err != nil {
		return nil, nil, err
	}
	return all(options).methods.Read(text, filepath.Join(dir, run.ConfigFile))
}

// note says what is wrong with the files, of several things the first.
func (l *Listed) note(err error) {
	if l.State != StateDamaged {
		l.State, l.Problem = StateDamaged, err.Error()
	}
}

// status fills in how far the run is. Runs of older versions have no status; those without a model then count as interrupted.
func (l *Listed) status(m *method.Method) run.Status {
	s, err := run.ReadStatus(l.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.State = run.StateInterrupted
		if m != nil && run.Finished(l.Dir, m.ModelFile) {
			s = run.Status{State: run.StateFinished, Step: 1, Total: 1}
		}
	case err != nil:
		l.note(err)
		return run.Status{}
	default:
		l.Updated, l.Epochs, l.Step, l.Total = s.Updated, s.Epochs, s.Step, s.Total
	}
	if s.Total > 0 {
		l.Done = int(float64(l.Epochs) * float64(min(s.Step, s.Total)) / float64(s.Total))
	}
	if l.State != StateDamaged {
		l.State, l.Problem = s.State, s.Error
	}
	return s
}

// sizeOf is how many bytes the files below a folder have, and when one was changed last. What cannot be read does not count.
func sizeOf(dir string) (bytes int64, changed time.Time) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			bytes += info.Size()
			if info.ModTime().After(changed) {
				changed = info.ModTime()
			}
		}
		return nil
	})
	return bytes, changed
}
