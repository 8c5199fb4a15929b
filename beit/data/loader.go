package data

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// LoaderOptions configures a Loader.
type LoaderOptions struct {
	Batch    int // images in a batch
	Pipeline Pipeline
	Seed     uint64 // of order and augmentation
	Stream   uint64 // separates loaders with the same seed, for example two of one run
	// Sequential is for evaluation: items come in the order of the dataset, the last batch may be shorter, and unreadable items are left out
	// instead of replaced.
	Sequential bool
	// Multiple makes the number of batches in an epoch a multiple of it, for gradient accumulation; 0 means 1.
	Multiple int
	// Ahead is the number of batches to prefetch; 0 means 2.
	Ahead int
	// MaxUnreadable is the share of images that may be unreadable; 0 means 0.1. More of them in an epoch are an error at its end, many more an
	// error before. An iteration that begins in the middle of an epoch counts from there.
	MaxUnreadable float64
	// Workers is the number of images that are read at the same time, by goroutines of their own; 0: by the threads that also compute. Batches do not
	// depend on it.
	Workers int
	// Skipped is called once for each image that cannot be read, by the goroutine that iterates; it may be nil.
	Skipped func(Skipped)
}

// Batches of an iteration: those that wait by default, and besides the one in use and the one being made.
const (
	defaultAhead = 2
	inHand       = 2
)

// BatchesAhead is how many batches an iteration has in memory, where LoaderOptions.Ahead is 0.
const BatchesAhead = defaultAhead + inHand

// Loader makes batches in the background. Several iterations may run at once.
type Loader struct {
	ds     Dataset
	opt    LoaderOptions
	fields []Field // of the pipeline
	size   int     // images in a batch, at most the size of the dataset
	bad    unreadable

	rank, ranks int // see Share
}

// NewLoader returns a loader of ds. A batch larger than the dataset shrinks to it: see BatchSize. NewLoader panics when the options make no sense,
// and fails when ds is nil or empty.
func NewLoader(ds Dataset, opt LoaderOptions) (*Loader, error) {
	if ds == nil { // such as Source.Val where there are no validation images
		return nil, fmt.Errorf("load images: %w: the dataset is nil", ErrNoImages)
	}
	if opt.Batch < 1 || opt.Workers < 0 || opt.Pipeline == nil {
		panic(fmt.Sprintf("data: NewLoader: batch of %d, %d workers, pipeline %v", opt.Batch, opt.Workers, opt.Pipeline))
	}
	fields := opt.Pipeline.Outputs()
	checkFields(fields)
	if ds.Len() == 0 {
		return nil, fmt.Errorf("load images: %w: the dataset is empty", ErrNoImages)
	}
	if opt.Ahead == 0 {
		opt.Ahead = defaultAhead
	}
	if opt.Multiple == 0 {
		opt.Multiple = 1
	}
	if opt.MaxUnreadable == 0 {
		opt.MaxUnreadable = 0.1
	}
	if opt.Skipped == nil {
		opt.Skipped = func(Skipped) {}
	}
	return &Loader{ds: ds, opt: opt, fields: fields, size: min(opt.Batch, ds.Len()), ranks: 1}, nil
}

// Share leaves the loader every batch whose number is rank modulo ranks: those of one of several processes, which together make all batches of an
// epoch. It is called before the first iteration. It panics unless rank is in [0, ranks).
func (l *Loader) Share(rank, ranks int) {
	if rank < 0 || rank >= ranks {
		panic(fmt.Sprintf("data: Share: rank %d of %d", rank, ranks))
	}
	l.rank, l.ranks = rank, ranks
}

// BatchSize returns the number of images in a batch: the one asked for, or the size of the dataset if that is smaller.
func (l *Loader) BatchSize() int { return l.size }

// Len returns the number of batches in an epoch, of all processes that share it. An epoch of a sequential loader has all images. Another one leaves out the images that do not
// fill a batch, or Multiple batches, and leaves out different ones each time.
func (l *Loader) Len() int {
	if l.opt.Sequential {
		return (l.ds.Len() + l.size - 1) / l.size
	}
	return l.ds.Len() / l.size / l.opt.Multiple * l.opt.Multiple
}

// Unreadable returns how many different images could not be read so far.
func (l *Loader) Unreadable() int { return l.bad.count() }

// Batches yields the batches of an epoch from number start on. It ends after the first error. Leaving the loop or cancelling ctx stops the work in
// the background before Batches returns. A panic of the dataset or the pipeline is raised again in the loop.
func (l *Loader) Batches(ctx context.Context, epoch, start int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		p := newProducer(l, epoch, start)
		go p.run(ctx)
		defer func() {
			cancel()
			for range p.made { // closed when the producer has stopped
			}
		}()
		for {
			asked := time.Now()
			var next made
			var more bool
			select {
			case next, more = <-p.made:
			case <-ctx.Done():
				next, more = made{err: ctx.Err()}, true
			}
			if next.panicked != nil {
				panic(next.panicked)
			}
			if next.err == nil && ctx.Err() != nil { // a cancelled producer just closes its channel
				next.err = ctx.Err()
			}
			if !more && next.err == nil {
				return
			}
			if next.batch != nil {
				for _, s := range l.bad.report(next.batch.reads.failed) {
					l.opt.Skipped(s)
				}
			}
			if next.err != nil {
				yield(nil, next.err)
				return
			}
			next.batch.Wait = time.Since(asked)
			if len(next.batch.Index) > 0 && !yield(next.batch, nil) { // empty when nothing of it could be read in sequential order
				return
			}
			p.free <- next.batch
		}
	}
}

// made is one result of a producer.
type made struct {
	batch    *Batch
	err      error
	panicked any // what was recovered from a panic, in place of a batch
}

// producer makes the batches of one iteration and reuses those that come back.
type producer struct {
	l            *Loader
	epoch, start int
	order        []int // nil when sequential
	made         chan made
	free         chan *Batch
	read, failed int     // images of this iteration so far
	one          Skipped // of those that failed
}

func newProducer(l *Loader, epoch, start int) *producer {
	p := &producer{l: l, epoch: epoch, start: start}
	p.made = make(chan made, l.opt.Ahead)
	p.free = make(chan *Batch, l.opt.Ahead+inHand)
	for range l.opt.Ahead + inHand {
		p.free <- l.newBatch()
	}
	if !l.opt.Sequential {
		p.order = tensor.NewRand(l.opt.Seed, streamOrder, l.opt.Stream, uint64(epoch)).Perm(l.ds.Len())
	}
	return p
}

func (l *Loader) newBatch() *Batch {
	b := &Batch{fields: l.fields, values: newTensors(l.fields, l.size), slots: make([]Tensors, l.size), labels: make([]int32, l.size)}
	for i := range b.slots {
		b.slots[i] = b.values.sample(l.fields, i)
	}
	b.reads.init(l.size)
	return b
}

// run makes batches until the epoch ends, ctx is cancelled or too many images are unreadable.
func (p *producer) run(ctx context.Context) {
	defer close(p.made)
	defer func() { // a caller can recover only from what happens in its own goroutine
		if r := recover(); r != nil {
			select {
			case p.made <- made{panicked: r}:
			case <-ctx.Done():
			}
		}
	}()
	first := p.start + (p.l.rank-p.start%p.l.ranks+p.l.ranks)%p.l.ranks
	for number := first; number < p.l.Len(); number += p.l.ranks {
		var b *Batch
		select {
		case b = <-p.free:
		case <-ctx.Done():
			return
		}
		err := p.fill(ctx, b, number)
		select {
		case p.made <- made{batch: b, err: err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// fill makes the batch of the given number. Each image is read and augmented as one task.
func (p *producer) fill(ctx context.Context, b *Batch, number int) error {
	first := number * p.l.size
	n := min(p.l.size, p.l.ds.Len()-first)
	b.Epoch, b.Number = p.epoch, number
	b.reads.reset(n)
	p.l.each(n, func(slot int) {
		if ctx.Err() == nil {
			p.sample(b, slot, p.index(first+slot))
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.read += n
	for _, err := range b.reads.errs {
		if err != nil {
			p.failed++
		}
	}
	b.reads.collect(p.l.ds)
	if len(b.reads.failed) > 0 {
		p.one = b.reads.failed[0]
	}
	if err := p.checkShare(b); err != nil {
		return err
	}
	b.compact(n)
	return nil
}

// each calls f(0) … f(n-1), each once, in as many goroutines as there are workers. A panic in f is raised again in the caller.
func (l *Loader) each(n int, f func(i int)) {
	if l.opt.Workers == 0 {
		tensor.ParallelFor(n, f)
		return
	}
	var claimed atomic.Int64
	var fault atomic.Pointer[any]
	var group sync.WaitGroup
	for range min(l.opt.Workers, n) {
		group.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					fault.CompareAndSwap(nil, &r)
				}
			}()
			for i := claimed.Add(1) - 1; i < int64(n); i = claimed.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	group.Wait()
	if r := fault.Load(); r != nil {
		panic(*r)
	}
}

func (p *producer) index(position int) int {
	if p.order == nil {
		return position
	}
	return p.order[position]
}

// sample fills one slot with item i or its replacement.
func (p *producer) sample(b *Batch, slot, i int) {
	s, err := p.l.read(i)
	b.reads.errs[slot], b.reads.asked[slot] = err, i
	for try := uint64(0); err != nil && try < maxReplacements && !p.l.opt.Sequential; try++ {
		r := tensor.NewRand(p.l.opt.Seed, streamReplace, uint64(p.epoch), uint64(i), try)
		other := r.IntN(p.l.ds.Len())
		if s, err = p.l.read(other); err == nil {
			b.reads.used[slot] = other
		}
	}
	if err != nil {
		b.reads.used[slot] = -1
		return
	}
	if b.reads.errs[slot] == nil {
		b.reads.used[slot] = i
	}
	r := tensor.NewRand(p.l.opt.Seed, streamAugment, p.l.opt.Stream, uint64(p.epoch), uint64(i))
	p.l.opt.Pipeline.Apply(b.slots[slot], s, r)
	b.labels[slot] = int32(s.Label)
}

// read reads item i unless it is known to be unreadable.
func (l *Loader) read(i int) (Sample, error) {
	if err := l.bad.find(i); err != nil {
		return Sample{}, err
	}
	s, err := l.ds.Sample(i)
	if err != nil {
		l.bad.add(i, err)
		return Sample{}, err
	}
	if label := l.ds.Label(i); s.Label != label {
		panic(fmt.Sprintf("data: dataset %T: item %d has label %d, its sample %d", l.ds, i, label, s.Label))
	}
	return s, nil
}
