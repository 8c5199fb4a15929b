package record

import "time"

// Pacer says how much work goes into one submission. Work is counted in arbitrary units of about a floating point operation; how long a
// unit takes is learned from submissions that are done.
type Pacer struct {
	limit, pending float64
	wanted         time.Duration
}

// NewPacer starts with a guess of the units of one submission, and aims at submissions that take as long as wanted.
func NewPacer(units float64, wanted time.Duration) *Pacer {
	return &Pacer{limit: units, wanted: wanted}
}

// Add counts one operation and reports whether to submit now.
func (p *Pacer) Add(units float64) (submit bool) {
	p.pending += units
	return p.pending >= p.limit
}

// Take returns the units added since the last Take, as a submission carries them.
func (p *Pacer) Take() float64 {
	n := p.pending
	p.pending = 0
	return n
}

// Done learns from a submission of the given units. Nothing is learned from small ones: they measure the cost of submitting.
func (p *Pacer) Done(units float64, took time.Duration) {
	if units < p.limit/4 || took <= 0 {
		return
	}
	next := units * float64(p.wanted) / float64(took)
	if took > 6*p.wanted {
		p.limit = next // at once: a watchdog may be near
		return
	}
	p.limit = min(2*p.limit, max(p.limit/2, next))
}

// Limit is the units at which Add asks for a submission.
func (p *Pacer) Limit() float64 { return p.limit }
