package train

import (
	"fmt"
	"runtime"
	"time"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/run/events"
	"github.com/gobeit/gobeit/tensor"
)

// statusEvery is the time between two writings of status.json.
const statusEvery = 5 * time.Second

// program is what trains, as a status tells it.
var program = fmt.Sprintf("gobeit %s, %s %s/%s", beit.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)

// openRecords opens metrics.jsonl and TensorBoard's file for new records, cut back to where the run is.
func (l *loop) openRecords() error {
	if !l.leads() {
		return nil
	}
	m, known, damaged, err := run.OpenMetrics(l.dir, l.at.Step, l.at.Closed, l.write)
	if err != nil {
		return err
	}
	l.metrics = m
	for _, err := range damaged {
		l.reporter.Warning(fmt.Sprintf("left out a damaged line: %v", err))
	}
	l.health = newHealth(l.env.Method, l.env.Config)
	for _, rec := range known {
		l.health.add(rec) // what they gave was told then
	}
	l.events, err = events.Open(l.dir, known, events.DefaultTag, l.write)
	return err
}

// record appends a record to both and reports it.
func (l *loop) record(rec run.Record) error {
	if !l.leads() {
		return nil
	}
	rec.Time = time.Now()
	if err := l.metrics.Append(rec); err != nil {
		return err
	}
	if err := l.events.Append(rec); err != nil {
		return err
	}
	l.reporter.Record(rec)
	l.warnings = append(l.warnings, l.health.add(rec)...)
	return nil
}

// warn tells the warnings that records gave.
func (l *loop) warn() {
	for _, text := range l.warnings {
		l.reporter.Warning(text)
	}
	l.warnings = nil
}

// status writes down where the run is, for whoever looks into the folder. Nothing depends on it, so a failure does not end the run:
// on a full disk the old one stays, and with the lock it tells a run that was killed.
func (l *loop) status(s run.State, why error) {
	l.told = time.Now()
	if !l.leads() {
		return
	}
	e := l.env
	now := run.Status{
		State: s, Step: l.at.Step, Total: e.Steps(), Epoch: min(l.at.Closed+1, e.Config.Train.Epochs), Epochs: e.Config.Train.Epochs, Began: l.began,
		Device: e.Device.Name(), Threads: tensor.Threads(), Version: program,
	}
	if why != nil {
		now.Error = why.Error()
	}
	_ = run.WriteStatus(l.dir, now)
}

// warnSkipped names an image that cannot be read, once for all loaders of the run.
func (l *loop) warnSkipped(s data.Skipped) {
	if !l.skipped[s.Name] {
		l.skipped[s.Name] = true
		l.reporter.Warning(method.SkippedText(s))
	}
}
