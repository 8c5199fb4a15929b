package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
)

// Run is what a page shows of a run, whether it has ended or goes on.
type Run struct {
	Dir      string
	Method   *method.Method // nil where the configuration cannot be read
	Config   *config.Config // nil with Method
	Status   *run.Status    // nil: there is none that can be read
	Records  []run.Record
	Problems []string // what of its files is damaged
	Parents  []Parent

	options []model.Option
	looked  []part // what Look found
}

// Parent is a model that a run began with or learned from.
type Parent struct {
	Key  string // of the configuration, that names it
	Path string // a run folder, a file, or the name of a published one
	Dir  string // the run folder that Path is or lies in; empty where there is none
}

// Read reads the files of the run in a folder, of which the configuration must be there. It opens no model and no image. Files that are damaged are
// named in Problems.
func Read(dir string, options ...model.Option) (*Run, error) {
	_, changed, err := run.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	r := &Run{Dir: dir, options: options}
	if changed {
		r.problem(fmt.Errorf("%s was changed since the run wrote it, by hand or by damage", filepath.Join(dir, run.ConfigFile)))
	}
	if r.Method, r.Config, err = model.ReadConfig(dir, options...); err != nil {
		r.Method, r.Config = nil, nil
		r.problem(err)
	}
	status, err := run.ReadStatus(dir)
	if err == nil {
		r.Status = &status
	} else {
		r.problem(err)
	}
	records, damaged, err := run.ReadIntactMetrics(dir)
	r.Records = records
	r.problem(err)
	if len(damaged) > 0 {
		r.problem(fmt.Errorf("%w (%d damaged lines are left out)", damaged[0], len(damaged)))
	}
	if r.Method != nil {
		r.Parents = parentsOf(r.Method, r.located())
	}
	return r, nil
}

// problem notes what is wrong with a file. One that is not there yet is no problem.
func (r *Run) problem(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.Problems = append(r.Problems, err.Error())
	}
}

// located is the configuration with paths that lead somewhere from here.
func (r *Run) located() *config.Config {
	c := r.Config.Clone()
	c.Locate(r.Dir)
	return c
}

// state says how far the run is.
func (r *Run) state() run.State {
	switch {
	case r.Status != nil:
		return r.Status.State
	case r.Method != nil && run.Finished(r.Dir, r.Method.ModelFile): // runs of older versions have no status
		return run.StateFinished
	}
	return ""
}

// parentsOf lists the models that a configuration names.
func parentsOf(m *method.Method, c *config.Config) (list []Parent) {
	add := func(key, path string) {
		if path != "" {
			list = append(list, Parent{Key: key, Path: path, Dir: FolderOf(path)})
		}
	}
	add("init_from", c.InitFrom)
	if m.Upstream != nil {
		for _, u := range m.Upstream(c, nil) {
			add(u.Key, u.Path)
		}
	}
	return list
}

// FolderOf is the run folder that a path is, or whose model it is; empty for none.
func FolderOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	if !info.IsDir() {
		path = run.FolderOf(path)
	}
	if !run.Exists(path) {
		return ""
	}
	return path
}
