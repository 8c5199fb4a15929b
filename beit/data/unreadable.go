package data

import (
	"fmt"
	"math"
	"sync"
)

// maxReplacements is how many other pictures are tried in place of an unreadable one.
const maxReplacements = 32

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

// tooMany says whether more pictures failed than may, up to the end of the batch of the given number. An epoch that was read from its first batch
// to its last is judged by the limit itself. A part of one says less about all pictures: it must exceed the limit by three standard deviations of
// how many fail in a draw of so many, of which at least one may, so that a run that began in the middle of an epoch does not fail where one that
// read the whole passes.
func (p *producer) tooMany(number int) bool {
	may := p.l.opt.MaxUnreadable * float64(p.read)
	if whole := p.start == 0 && number == p.l.Len()-1; !whole {
		may = max(may, 1)
		may += 3 * math.Sqrt(may)
	}
	return p.failed == p.l.ds.Len() || float64(p.failed) > may
}

// checkShare fails when too many of the pictures of this iteration, up to the end of batch b, could not be read. The count depends on the order of the
// epoch and on where in it the iteration began alone, not on what happened to be read before. A slot that no replacement could fill fails too.
func (p *producer) checkShare(b *Batch) error {
	if p.failed > 0 && p.tooMany(b.Number) {
		return &UnreadableError{Failed: p.failed, Read: p.read, Limit: p.l.opt.MaxUnreadable, One: p.one}
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
