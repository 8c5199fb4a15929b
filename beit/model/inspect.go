package model

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
)

// RunInfo says what is in a run folder.
type RunInfo struct {
	Method      string      `json:"method"`
	Preset      string      `json:"preset"`
	Data        string      `json:"data"`
	Epochs      int         `json:"epochs"`
	Status      *run.Status `json:"status,omitempty"`     // of older runs there is none
	Model       string      `json:"model,omitempty"`      // path of the finished one; empty: not finished
	Best        string      `json:"best,omitempty"`       // path of that of the best epoch, of methods that keep it
	Checkpoints []string    `json:"checkpoints"`          // names, the oldest first
	Last        *run.Record `json:"last,omitempty"`       // epoch
	Validation  *run.Record `json:"validation,omitempty"` // the last one

	Trained  *method.Method `json:"-"`
	Config   *config.Config `json:"-"`
	Records  []run.Record   `json:"-"`
	Warnings []error        `json:"-"` // of a configuration that was changed, and of a damaged status
}

// InspectRun looks into the run folder dir, whether its run has ended or goes on. It opens no model.
func InspectRun(dir string, options ...Option) (*RunInfo, error) {
	text, changed, err := run.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	m, c, err := all(options).methods.Read(text, dir)
	if err != nil {
		return nil, err
	}
	i := &RunInfo{Method: c.Method, Preset: c.Preset, Data: c.Data.Path.String(), Epochs: c.Train.Epochs, Trained: m, Config: c}
	if changed {
		name := filepath.Join(dir, run.ConfigFile)
		i.Warnings = append(i.Warnings, fmt.Errorf("%s was changed since the run wrote it, by hand or by damage", name))
	}
	i.Records, err = run.ReadMetrics(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // none yet: the run was stopped before its first step
		return nil, err
	}
	for n, r := range i.Records {
		switch r.Kind {
		case run.KindEpoch:
			i.Last = &i.Records[n]
		case run.KindVal:
			i.Validation = &i.Records[n]
		}
	}
	if run.Finished(dir, m.ModelFile) {
		i.Model = filepath.Join(dir, m.ModelFile)
	}
	if run.Finished(dir, run.BestFile) {
		i.Best = filepath.Join(dir, run.BestFile)
	}
	switch status, err := run.ReadStatus(dir); {
	case err == nil:
		i.Status = &status
	case !errors.Is(err, fs.ErrNotExist): // older runs have none
		i.Warnings = append(i.Warnings, err)
	}
	list, err := run.Checkpoints(dir)
	for _, name := range list {
		i.Checkpoints = append(i.Checkpoints, filepath.Base(name))
	}
	return i, err
}
