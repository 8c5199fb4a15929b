package model

import (
	"math"
	"time"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
)

// digestRecords is how many records a Digest keeps at least, the newest.
const digestRecords = 64

// Digest keeps of a run's records what a list of runs shows. It stays small however many there are.
type Digest struct {
	newest []run.Record
	val    run.Record // the newest that has the method's main metric; a zero Record: none has
}

// Add adds a record of a run of method m, which may be nil. Records come in their order.
func (d *Digest) Add(m *method.Method, r run.Record) {
	if len(d.newest) == 2*digestRecords {
		d.newest = append(d.newest[:0], d.newest[digestRecords:]...)
	}
	d.newest = append(d.newest, r)
	if m == nil || r.Kind != run.KindVal {
		return
	}
	if _, ok := r.Values[m.Main]; ok {
		d.val = r
	}
}

// Left estimates how long a run with this status will take; see run.Status.
func (d *Digest) Left(s run.Status) time.Duration { return s.Left(d.newest) }

// Figure is the value of the last validation by which runs of method m are compared, or else the loss of the last record, and its label. The label
// is empty where there is neither, and the value nil where it is not finite.
func (d *Digest) Figure(m *method.Method) (label string, value *float64) {
	if len(d.newest) == 0 {
		return "", nil
	}
	key, from := method.KeyLoss, d.newest[len(d.newest)-1]
	if d.val.Kind != "" {
		key, from = m.Main, d.val
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
