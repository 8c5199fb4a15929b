package main

import (
	"context"
	"time"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
)

// unfinished ends a sentence about --resume: it names the newest run below runs that ended before its last step, if there is one.
func unfinished() string {
	const example = ", such as --resume runs/pretrain"
	list, err := model.List(context.Background(), "runs")
	if err != nil {
		return example
	}
	newest, when := "", time.Time{}
	for _, r := range list {
		ended := r.State == run.StateInterrupted || r.State == run.StateFailed || r.State == run.StateKilled
		m, err := model.Methods().Find(r.Method)
		if ended && err == nil && r.Updated.After(when) {
			newest, when = resumeLine(nil, m, r.Dir), r.Updated
		}
	}
	if newest == "" {
		return example
	}
	return "; the newest one that has not ended is continued by: " + newest
}
