package model

import (
	"math"
	"time"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
)

// digestRecords is how many records a Digest keeps at least, the newest.
const digestRecords = 200

// Digest keeps of a run's records what lists and pages say of it. It stays small however many there are.
type Digest struct {
	newest     []run.Record // without their values, which can be many
	last       run.Record
	main       run.Record // the newest that has the method's main metric; like the others a zero Record where there is none
	epoch, val run.Record // the newest of an epoch, and of a validation
}

// ReadDigest reads the records of the run in dir, of method m, which may be nil. The first damaged line is an error.
func ReadDigest(dir string, m *method.Method) (d Digest, err error) {
	f := run.NewFollower(dir)
	for {
		lines, restarted, err := f.Read()
		if err != nil || len(lines) == 0 {
			return d, err
		}
		if restarted { // replaced while it was read
			d = Digest{}
		}
		for _, line := range lines {
			if line.Err != nil {
				return d, line.Err
			}
			d.Add(m, line.Record)
		}
	}
}

// Add adds a record of a run of method m, which may be nil. Records come in their order.
func (d *Digest) Add(m *method.Method, r run.Record) {
	if len(d.newest) == 2*digestRecords {
		d.newest = append(d.newest[:0], d.newest[digestRecords:]...)
	}
	d.newest = append(d.newest, run.Record{Kind: r.Kind, Epoch: r.Epoch, Step: r.Step, Time: r.Time})
	d.last = r
	switch r.Kind {
	case run.KindEpoch:
		d.epoch = r
	case run.KindVal:
		d.val = r
		if m == nil {
			return
		}
		if _, ok := r.Values[m.Main]; ok {
			d.main = r
		}
	}
}

// Outcome is what a run with configuration c has reached.
func (d *Digest) Outcome(c *config.Config) method.Outcome {
	return method.Outcome{Config: c, Train: d.epoch.Values, Val: d.val.Values}
}

// Left estimates how long a run with this status will take; see run.Status.
func (d *Digest) Left(s run.Status) time.Duration { return s.Left(d.newest) }

// Figure is the value of the last validation by which runs of method m are compared, or else the loss of the last record, and its label. The label
// is empty where there is neither, and the value nil where it is not finite.
func (d *Digest) Figure(m *method.Method) (label string, value *float64) {
	if len(d.newest) == 0 {
		return "", nil
	}
	key, from := method.KeyLoss, d.last
	if d.main.Kind != "" {
		key, from = m.Main, d.main
	}
	v, ok := from.Values[key]
	if !ok {
		return "", nil
	}
	for _, x := range m.AllMetrics() {
		if x.Key == key {
			label = x.Label
		}
	}
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		value = &v
	}
	return label, value
}
