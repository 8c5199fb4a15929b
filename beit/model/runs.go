package model

import (
	"context"
	"errors"
	"io/fs"
	"math"
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
	Metric  string    `json:"metric,omitempty"` // what Value is, as the method's table of metrics labels it
	Value   *float64  `json:"value,omitempty"`  // of the last validation, or the loss of the last record; nil where there is none or it is not finite
	Updated time.Time `json:"updated"`
	Bytes   int64     `json:"bytes"`             // of all files
	Problem string    `json:"problem,omitempty"` // what is damaged or missing, or why the run failed
}

// List lists the runs in a folder and in those below it. Folders that cannot be read are listed as damaged.
func List(ctx context.Context, root string, options ...Option) ([]Listed, error) {
	if _, err := os.ReadDir(root); err != nil {
		return nil, err
	}
	list := []Listed{}
	methods := all(options).methods
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		dir := filepath.Join(root, filepath.FromSlash(name))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			list = append(list, Listed{Dir: dir, State: StateDamaged, Problem: err.Error()})
			return fs.SkipDir
		case !d.IsDir() || !holdsRun(dir, methods):
			return nil
		}
		list = append(list, look(dir, methods))
		return fs.SkipDir
	})
	return list, err
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

// look looks at one run.
func look(dir string, list method.List) Listed {
	l := Listed{Dir: dir}
	l.Bytes, l.Updated = sizeOf(dir)
	text, _, err := run.ReadConfig(dir)
	var m *method.Method
	var c *config.Config
	if err == nil {
		m, c, err = list.Read(text, filepath.Join(dir, run.ConfigFile))
	}
	if err != nil {
		l.note(err)
	} else {
		l.Method, l.Preset, l.Epochs = m.Name, c.Preset, c.Train.Epochs
	}
	l.status(m)
	records, err := run.ReadMetrics(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.note(err)
	}
	if m != nil && len(records) > 0 {
		l.result(m, records)
	}
	return l
}

// note says what is wrong with the files, of several things the first.
func (l *Listed) note(err error) {
	if l.State != StateDamaged {
		l.State, l.Problem = StateDamaged, err.Error()
	}
}

// status fills in how far the run is. Runs of older versions have no status; those without a model then count as interrupted.
func (l *Listed) status(m *method.Method) {
	s, err := run.ReadStatus(l.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.State = run.StateInterrupted
		if m != nil && run.Finished(l.Dir, m.ModelFile) {
			s = run.Status{State: run.StateFinished, Step: 1, Total: 1}
		}
	case err != nil:
		l.note(err)
		return
	default:
		l.Updated, l.Epochs = s.Updated, s.Epochs
	}
	if s.Total > 0 {
		l.Done = int(float64(l.Epochs) * float64(min(s.Step, s.Total)) / float64(s.Total))
	}
	if l.State != StateDamaged {
		l.State, l.Problem = s.State, s.Error
	}
}

// result fills in the figure of the last validation by which runs of the method are compared, or the loss of the last record.
func (l *Listed) result(m *method.Method, records []run.Record) {
	key, last := method.KeyLoss, records[len(records)-1]
	for _, r := range slices.Backward(records) {
		if _, ok := r.Values[m.Main]; ok && r.Kind == run.KindVal {
			key, last = m.Main, r
			break
		}
	}
	v, ok := last.Values[key]
	if !ok {
		return
	}
	for _, x := range m.AllMetrics() {
		if x.Key == key {
			l.Metric = x.Label
		}
	}
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		l.Value = &v
	}
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
