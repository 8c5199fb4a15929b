package data

import (
	"errors"
	"fmt"
	"math"
	"sync"
)

// maxReplacements bounds how many other images are tried in place of an unreadable one.
const maxReplacements = 32

// Skipped describes an image that could not be read and was left out.
type Skipped struct {
	Index int
	Name  string
	Err   error
}

// UnreadableError is the error for too many unreadable images. It wraps the cause for one of them.
type UnreadableError struct {
	Failed, Read int     // numbers of images
	Limit        float64 // share of Read that may fail
	One          Skipped // one of those that failed
}

// Error states how many images failed and names one of them.
func (e *UnreadableError) Error() string {
	if e.Failed == e.Read {
		return fmt.Sprintf("none of the %d images read so far is readable: one is %v", e.Read, e.One.Err)
	}
	return fmt.Sprintf("%d of the %d images read so far are unreadable, more than the %g %% allowed; one of those to remove is %v",
		e.Failed, e.Read, 100*e.Limit, e.One.Err)
}

// Unwrap returns the cause for the image that Error names.
func (e *UnreadableError) Unwrap() error { return e.One.Err }

// reads records what happened to the images of one batch, by slot.
type reads struct {
	asked  []int     // index of the image that belongs there
	used   []int     // index of the image that is there; -1 for none
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

// tooMany reports whether too many images failed up to the end of the batch of the given number. For a whole epoch the limit itself counts. A part
// of an epoch, such as the share of one of several processes, says less about all images: it must exceed the limit, and at least one image, by three
// standard deviations of a random draw. A run resumed in the middle of an epoch should not fail where one that read the whole epoch passes.
func (p *producer) tooMany(number int) bool {
	may := p.l.opt.MaxUnreadable * float64(p.read)
	if whole := p.start == 0 && p.l.ranks == 1 && number == p.l.Len()-1; !whole {
		may = max(may, 1)
		may += 3 * math.Sqrt(may)
	}
	return p.failed == p.l.ds.Len() || float64(p.failed) > may
}

// checkShare fails for a mask that does not fit, and when too many images of this iteration could not be read, up to the end of batch b. The count
// depends only on the order of the epoch and on the batch at which the iteration began. checkShare also fails when no replacement could fill a slot.
func (p *producer) checkShare(b *Batch) error {
	for _, err := range b.reads.errs {
		if isMaskError(err) {
			return err
		}
	}
	if p.failed > 0 && p.tooMany(b.Number) {
		return &UnreadableError{Failed: p.failed, Read: p.read, Limit: p.l.opt.MaxUnreadable, One: p.one}
	}
	if p.l.opt.Sequential {
		return nil
	}
	for slot, used := range b.reads.used {
		if used < 0 {
			return fmt.Errorf("no readable image found in %d tries in place of %w", maxReplacements, b.reads.errs[slot])
		}
	}
	return nil
}

// unreadable remembers the images of a dataset that cannot be read, so that each is tried and reported once.
type unreadable struct {
	mu       sync.Mutex
	errs     map[int]error
	reported map[int]bool
}

func (b *unreadable) find(i int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.errs[i]
}

func (b *unreadable) add(i int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.errs == nil {
		b.errs = map[int]error{}
	}
	b.errs[i] = err
}

func (b *unreadable) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.errs)
}

// isMaskError says whether an error ends the iteration, for no image is left out because of its mask.
func isMaskError(err error) bool {
	var mask *MaskError
	return errors.As(err, &mask)
}

// report returns the elements of failed that are left out and that it has not returned before.
func (b *unreadable) report(failed []Skipped) []Skipped {
	b.mu.Lock()
	defer b.mu.Unlock()
	var fresh []Skipped
	for _, s := range failed {
		if b.reported == nil {
			b.reported = map[int]bool{}
		}
		if !b.reported[s.Index] && !isMaskError(s.Err) {
			b.reported[s.Index] = true
			fresh = append(fresh, s)
		}
	}
	return fresh
}
