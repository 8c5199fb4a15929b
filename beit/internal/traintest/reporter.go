package traintest

import (
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
)

// Reporter keeps what it hears of a run.
type Reporter struct {
	OnProgress func(p method.Progress) // nil: nobody listens
	Records    []run.Record
	Epochs     []method.Epoch
	Notices    []string
	Warnings   []string
}

// Progress calls OnProgress.
func (r *Reporter) Progress(p method.Progress) {
	if r.OnProgress != nil {
		r.OnProgress(p)
	}
}

// Record keeps a record.
func (r *Reporter) Record(rec run.Record) { r.Records = append(r.Records, rec) }

// Epoch keeps what an epoch brought.
func (r *Reporter) Epoch(e method.Epoch) { r.Epochs = append(r.Epochs, e) }

// Notice keeps a notice.
func (r *Reporter) Notice(text string) { r.Notices = append(r.Notices, text) }

// Warning keeps a warning.
func (r *Reporter) Warning(text string) { r.Warnings = append(r.Warnings, text) }
