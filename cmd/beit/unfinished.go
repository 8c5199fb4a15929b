package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// unfinished ends a sentence about --resume: it names the newest run below runs that ended before its last step, if there is one.
func unfinished() string {
	var newest string
	var when time.Time
	for _, pattern := range []string{"*", "*/*"} {
		dirs, _ := filepath.Glob(filepath.Join("runs", pattern))
		for _, dir := range dirs {
			s, err := run.ReadStatus(dir)
			if err == nil && s.State != run.StateFinished && s.State != run.StateRunning && s.Updated.After(when) {
				newest, when = dir, s.Updated
			}
		}
	}
	if newest == "" {
		return ", such as --resume runs/pretrain"
	}
	m, _, err := model.ReadConfig(newest)
	if err != nil {
		return ", such as --resume " + plain.Text(newest)
	}
	return fmt.Sprintf("; the newest one that has not ended is continued by: beit %s --resume %s", m.Command, plain.Text(newest))
}
