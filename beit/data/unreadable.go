package data

import (
	"fmt"
	"sync"
)

const (
	// maxReplacements is how many other pictures are tried in place of an unreadable one.
	maxReplacements = 32
	// enoughRead is how many pictures are read before the share of unreadable ones is judged.
	enoughRead = 20
)

// Skipped names a picture that was left out.
type Skipped struct {
	Index int
	Name  string
	Err   error
}

// UnreadableError says that too many pictures could not be read. It wraps why one of them could not.
type UnreadableError struct {
	Failed, Read int     // pictures
	Limit        float64 // share of Read that may fail
	One          Skipped // of Failed
}

// Error says how many pictures failed and names one of them.
func (e *UnreadableError) Error() string {
	if e.Failed == e.Read {
		return fmt.Sprintf("none of the %d pictures read so far is readable: one is %v", e.Read, e.One.Err)
	}
	return fmt.Sprintf("%d of the %d pictures read so far are unreadable, more than the %g %% allowed; one of those to remove is %v",
		e.Failed, e.Read, 100*e.Limit, e.One.Err)
}

// Unwrap returns why that one could not be read.
func (e *UnreadableError) Unwrap() error { return e.One.Err }

// reads notes what happened to the pictures of one batch, by slot.
type reads struct {
	asked  []int     // index of the picture that belongs there
	used   []int     // index of the picture that stands there; -1 for none
	errs   []error   // why asked could not be read
	failed []Skipped // of asked, in order of slot
}

func (r *reads) init(n int) {
	r.asked, r.used, r.errs = make([]int, n), make([]int, n), make([]error, n)
}

func (r *reads) reset(n int) {
	r.asked, r.used, r.errs = r.asked[:n], r.used[:n], r.errs[:n]
	clear(r.errs)
	r.failed = nil
}

func (r *reads) collect(ds Dataset) {
	for slot, err := range r.errs {
		if err != nil {
			r.failed = append(r.failed, Skipped{Index: r.asked[slot], Name: ds.Name(r.asked[slot]), Err: err})
		}
	}
}

// checkShare fails when too many of the pictures of this iteration, up to the end of batch b, could not be
// read. The count depends on the order of the epoch alone, not on what happened to be read before. A slot
// that no replacement could fill fails too.
func (p *producer) checkShare(b *Batch) error {
	if len(b.reads.failed) == 0 {
		return nil
	}
	enough := p.read >= min(enoughRead, p.l.ds.Len())
	none := p.failed == p.l.ds.Len()
	if enough && (none || float64(p.failed) > p.l.opt.MaxUnreadable*float64(p.read)) {
		return &UnreadableError{Failed: p.failed, Read: p.read, Limit: p.l.opt.MaxUnreadable, One: b.reads.failed[0]}
	}
	if p.l.opt.Sequential {
		return nil
	}
	for slot, used := range b.reads.used {
		if used < 0 {
			return fmt.Errorf("no readable picture found in %d tries in place of %w", maxReplacements, b.reads.errs[slot])
		}
	}
	return nil
}

// badPictures remembers the pictures of a dataset that cannot be read, so that each is tried once and
// reported once.
type badPictures struct {
	mu       sync.Mutex
	errs     map[int]error
	reported map[int]bool
}

func (b *badPictures) find(i int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.errs[i]
}

func (b *badPictures) add(i int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.errs == nil {
		b.errs = map[int]error{}
	}
	b.errs[i] = err
}

func (b *badPictures) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.errs)
}

// report returns those of failed that it has not returned before.
func (b *badPictures) report(failed []Skipped) []Skipped {
	b.mu.Lock()
	defer b.mu.Unlock()
	var fresh []Skipped
	for _, s := range failed {
		if b.reported == nil {
			b.reported = map[int]bool{}
		}
		if !b.reported[s.Index] {
			b.reported[s.Index] = true
			fresh = append(fresh, s)
		}
	}
	return fresh
}
