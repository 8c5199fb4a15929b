package model

import (
	"math"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/run"
)

// Of many records a few stay, and they say the same as all.
func TestDigest(t *testing.T) {
	began := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	status := run.Status{State: run.StateRunning, Step: 1000, Total: 3000, Began: began}
	m := finetune.Method
	var d Digest
	if label, v := d.Figure(m); label != "" || v != nil || d.Left(status) != 0 {
		t.Errorf("of nothing: %q %v, %v left", label, v, d.Left(status))
	}
	var all []run.Record
	add := func(r run.Record) {
		all = append(all, r)
		d.Add(m, r)
	}
	for step := 1; step <= 1000; step++ {
		at := began.Add(time.Duration(step) * time.Second)
		add(run.Record{Kind: run.KindStep, Step: step, Time: at, Values: map[string]float64{"loss": 1 / float64(step)}})
		if label, v := d.Figure(m); step < 500 && (label == "" || v == nil || *v != 1/float64(step)) {
			t.Fatalf("step %d without a validation: %s %v", step, label, v)
		}
		if step == 500 {
			add(run.Record{Kind: run.KindVal, Step: step, Time: at, Values: map[string]float64{m.Main: 0.75}})
		}
	}
	if label, v := d.Figure(m); label == "" || v == nil || *v != 0.75 {
		t.Errorf("the last validation is %q %v", label, v)
	}
	if got, want := d.Left(status), status.Left(all); got != want || got != 2000*time.Second {
		t.Errorf("%v left, by all records %v", got, want)
	}
	if n := cap(d.newest); n > 4*digestRecords {
		t.Errorf("%d records are kept", n)
	}
	for _, r := range d.newest {
		if r.Values != nil {
			t.Fatalf("the values of step %d are kept: a line can have a MiB of them", r.Step)
		}
	}
	add(run.Record{Kind: run.KindVal, Values: map[string]float64{m.Main: math.NaN()}})
	if label, v := d.Figure(m); label == "" || v != nil {
		t.Errorf("not finite: %q %v", label, v)
	}
}
