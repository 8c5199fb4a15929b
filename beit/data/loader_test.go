package data

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobeit/gobeit/tensor"
	"github.com/google/go-cmp/cmp"
)

// broken is a dataset in which some images cannot be read.
type broken struct {
	Dataset
	bad func(i int) bool
}

var errBroken = errors.New("broken on purpose")

func (b broken) Sample(i int) (Sample, error) {
	if b.bad(i) {
		return Sample{}, fmt.Errorf("%s: %w", b.Name(i), errBroken)
	}
	return b.Dataset.Sample(i)
}

// taken is a copy of a batch.
type taken struct {
	Epoch, Number int
	Index         []int
	Labels        []int32
	Tensors       Tensors
}

func take(b *Batch) taken {
	out := taken{b.Epoch, b.Number, slices.Clone(b.Index), slices.Clone(b.Labels), nil}
	for _, f := range b.fields {
		v, _ := b.find("find", f.Name, f.DType)
		out.Tensors = append(out.Tensors, Values{slices.Clone(v.Float32), slices.Clone(v.Int32)})
	}
	return out
}

func batches(t *testing.T, l *Loader, epoch, start int) []taken {
	t.Helper()
	var out []taken
	for b, err := range l.Batches(t.Context(), epoch, start) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, take(b))
	}
	return out
}

func newLoader(t *testing.T, ds Dataset, opt LoaderOptions) *Loader {
	t.Helper()
	if opt.Pipeline == nil {
		opt.Pipeline = pretrainCrop(View{Size: 16, Filter: Bicubic, Norm: ImageNet}, View{Size: 8, Filter: Lanczos, Norm: Unit})
	}
	l, err := NewLoader(ds, opt)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestLoaderDeterminism expects the same bytes for any number of threads and workers, after a restart inside an epoch, and from a cache. Another epoch,
// seed or stream must give others.
func TestLoaderDeterminism(t *testing.T) {
	ds := broken{Procedural(50, 16, 1), func(i int) bool { return i == 7 || i == 31 }}
	opt := LoaderOptions{Batch: 8, Seed: 3, Stream: 2}
	want := batches(t, newLoader(t, ds, opt), 4, 0)
	if len(want) != 6 {
		t.Fatalf("%d batches, want 6", len(want))
	}
	threads := tensor.Threads()
	defer tensor.SetThreads(threads)
	for _, n := range []int{1, 2, 5} {
		tensor.SetThreads(n)
		if d := cmp.Diff(want, batches(t, newLoader(t, Cached(ds, 1<<20), opt), 4, 0)); d != "" {
			t.Fatalf("%d threads (-want +got):\n%s", n, d)
		}
	}
	for _, n := range []int{1, 3, 40} {
		workers := opt
		workers.Workers = n
		if d := cmp.Diff(want, batches(t, newLoader(t, ds, workers), 4, 0)); d != "" {
			t.Fatalf("%d workers (-want +got):\n%s", n, d)
		}
	}
	rest := batches(t, newLoader(t, ds, opt), 4, 3)
	if d := cmp.Diff(want[3:], rest); d != "" {
		t.Errorf("starting at batch 3 (-want +got):\n%s", d)
	}
	seed, stream := opt, opt
	seed.Seed, stream.Stream = 4, 3
	for name, other := range map[string][]taken{
		"epoch":  batches(t, newLoader(t, ds, opt), 5, 0),
		"seed":   batches(t, newLoader(t, ds, seed), 4, 0),
		"stream": batches(t, newLoader(t, ds, stream), 4, 0),
	} {
		if cmp.Equal(want[0].Index, other[0].Index) || cmp.Equal(want[0].Tensors, other[0].Tensors) {
			t.Errorf("another %s gave the same batch", name)
		}
	}
}

// Processes that share a loader's batches make together those of one, from wherever they start, also the shorter last one of a sequential loader.
func TestLoaderShare(t *testing.T) {
	ds := broken{Procedural(50, 16, 1), func(i int) bool { return i == 7 || i == 31 }}
	for _, opt := range []LoaderOptions{{Batch: 8, Seed: 3, Stream: 2}, {Batch: 8, Sequential: true, MaxUnreadable: 1}} {
		for _, start := range []int{0, 2, 3} {
			want := batches(t, newLoader(t, ds, opt), 4, start)
			for _, ranks := range []int{1, 2, 3, 9} {
				var got []taken
				for rank := range ranks {
					l := newLoader(t, ds, opt)
					l.Share(rank, ranks)
					for _, b := range batches(t, l, 4, start) {
						if b.Number%ranks != rank {
							t.Errorf("rank %d of %d has batch %d", rank, ranks, b.Number)
						}
						got = append(got, b)
					}
				}
				slices.SortFunc(got, func(a, b taken) int { return a.Number - b.Number })
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%d processes from batch %d (-one +all):\n%s", ranks, start, d)
				}
			}
		}
	}
}

func TestLoaderEpoch(t *testing.T) {
	ds := Procedural(50, 16, 1)
	l := newLoader(t, ds, LoaderOptions{Batch: 8, Seed: 1})
	seen := map[int]bool{}
	for _, b := range batches(t, l, 0, 0) {
		if len(b.Index) != 8 || len(b.Labels) != 8 || len(b.Tensors[0].Float32) != 8*3*16*16 || len(b.Tensors[1].Float32) != 8*3*8*8 {
			t.Fatalf("batch of %d images, %d labels, views of %d and %d", len(b.Index), len(b.Labels), len(b.Tensors[0].Float32), len(b.Tensors[1].Float32))
		}
		for slot, i := range b.Index {
			if seen[i] {
				t.Errorf("image %d came twice", i)
			}
			seen[i] = true
			if int(b.Labels[slot]) != ds.Label(i) {
				t.Errorf("image %d has label %d, want %d", i, b.Labels[slot], ds.Label(i))
			}
		}
	}
	if len(seen) != 48 {
		t.Errorf("%d images in the epoch, want 48", len(seen))
	}
	small := newLoader(t, Subset(ds, []int{4, 5, 6}), LoaderOptions{Batch: 8})
	if got := batches(t, small, 0, 0); small.BatchSize() != 3 || len(got) != 1 || len(got[0].Index) != 3 {
		t.Errorf("3 images: batch size %d, %d batches", small.BatchSize(), len(got))
	}
	if _, err := NewLoader(Subset(ds, nil), LoaderOptions{Batch: 1, Pipeline: squareCrop(8)}); !errors.Is(err, ErrNoImages) {
		t.Errorf("empty dataset: %v", err)
	}
}

func TestLoaderSequential(t *testing.T) {
	clean := Procedural(34, 16, 1)
	ds := broken{clean, func(i int) bool { return i == 3 || (i >= 16 && i < 24) || i >= 32 }}
	var index, sizes, skipped []int
	l := newLoader(t, ds, LoaderOptions{
		Batch: 8, Sequential: true, MaxUnreadable: 0.5, Pipeline: centre(16), Skipped: func(s Skipped) { skipped = append(skipped, s.Index) },
	})
	for _, b := range batches(t, l, 0, 0) {
		index = append(index, b.Index...)
		sizes = append(sizes, len(b.Index))
		for slot, i := range b.Index {
			m, err := Decoded(clean, i)
			if err != nil {
				t.Fatal(err)
			}
			want := applied(centre(16), m, nil)[0].Float32
			if !cmp.Equal(want, b.Tensors[0].Float32[slot*768:(slot+1)*768]) || int(b.Labels[slot]) != clean.Label(i) {
				t.Errorf("slot %d does not hold image %d", slot, i)
			}
		}
	}
	want := []int{0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31}
	if d := cmp.Diff(want, index); d != "" {
		t.Errorf("images (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]int{7, 8, 8}, sizes); d != "" {
		t.Errorf("batch sizes (-want +got):\n%s", d)
	}
	if l.Unreadable() != 11 || l.Len() != 5 {
		t.Errorf("%d unreadable, %d batches; want 11, 5", l.Unreadable(), l.Len())
	}
	if d := cmp.Diff([]int{3, 16, 17, 18, 19, 20, 21, 22, 23, 32, 33}, skipped); d != "" {
		t.Errorf("skipped (-want +got):\n%s", d)
	}
}

// TestUnreadable: few unreadable images are replaced, always by the same ones, and named once; many are an error.
func TestUnreadable(t *testing.T) {
	ds := broken{Procedural(40, 16, 1), func(i int) bool { return i == 5 || i == 6 }}
	var named []int
	l := newLoader(t, ds, LoaderOptions{Batch: 10, Seed: 1, Skipped: func(s Skipped) { named = append(named, s.Index) }})
	for epoch := range 3 {
		named = nil
		for _, b := range batches(t, l, epoch, 0) {
			if slices.Contains(b.Index, 5) || slices.Contains(b.Index, 6) || len(b.Index) != 10 {
				t.Errorf("epoch %d: batch of %v", epoch, b.Index)
			}
		}
		slices.Sort(named)
		if want := [][]int{{5, 6}, nil, nil}[epoch]; !slices.Equal(named, want) {
			t.Errorf("epoch %d: named %v, want %v", epoch, named, want)
		}
	}
	if l.Unreadable() != 2 {
		t.Errorf("%d counted, want 2", l.Unreadable())
	}
	for share, text := range map[int]string{4: "", 5: "5 of the 40 images", 40: "none of the 40 images"} {
		ds.bad = func(i int) bool { return i < share }
		l := newLoader(t, ds, LoaderOptions{Batch: 40, Seed: 1})
		var last error
		for _, err := range l.Batches(t.Context(), 0, 0) {
			last = err
		}
		switch {
		case text == "" && last != nil:
			t.Errorf("%d of 40 unreadable: %v", share, last)
		case text != "" && (!errors.Is(last, errBroken) || !strings.Contains(last.Error(), text)):
			t.Errorf("%d of 40 unreadable: error %v", share, last)
		}
	}
}

// TestUnreadableInPart: the limit holds for an epoch as a whole, and a part of it must exceed it clearly.
func TestUnreadableInPart(t *testing.T) {
	last := func(ds Dataset, start int) (n int, err error) {
		l := newLoader(t, ds, LoaderOptions{Batch: 10, Seed: 1, Pipeline: centre(16), MaxUnreadable: 0.1})
		for _, e := range l.Batches(t.Context(), 0, start) {
			n, err = n+1, e
		}
		return n, err
	}
	order := tensor.NewRand(1, streamOrder, 0, 0).Perm(200)
	among := func(places ...int) Dataset { // images at these places of the epoch are broken
		return broken{Procedural(200, 16, 1), func(i int) bool { return slices.Contains(places, slices.Index(order, i)) }}
	}
	end := []int{0, 100, 105, 110, 115, 120, 125, 130, 135, 140, 145, 150, 155, 160, 165, 170, 175, 180, 185, 190}
	for _, start := range []int{0, 10, 15} { // 20 of 200 pass, and so do 19 of the last 100
		if n, err := last(among(end...), start); err != nil || n != 20-start {
			t.Errorf("20 of 200 unreadable, from batch %d: %d batches, %v", start, n, err)
		}
	}
	var unreadable *UnreadableError
	if n, err := last(among(append(end, 1)...), 0); !errors.As(err, &unreadable) || unreadable.Failed != 21 || unreadable.Read != 200 || n != 20 {
		t.Errorf("21 of 200 unreadable: %v in batch %d", err, n)
	}
	if n, err := last(among(20, 21, 22, 23, 24, 25, 26, 27), 2); !errors.As(err, &unreadable) || n != 1 {
		t.Errorf("8 of the first 10 read unreadable: %v in batch %d", err, n)
	}
}

// TestLoaderStops: leaving the loop and cancelling end the work in the background.
func TestLoaderStops(t *testing.T) {
	l := newLoader(t, Procedural(100, 16, 1), LoaderOptions{Batch: 4})
	tensor.ParallelFor(4, func(int) {}) // starts the workers, which stay
	before := runtime.NumGoroutine()
	for range 20 {
		for range l.Batches(t.Context(), 0, 0) {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range l.Batches(ctx, 0, 0) {
		if n++; n == 3 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) || n != 4 {
		t.Errorf("after cancelling in turn 3: %d turns, error %v", n, last)
	}
	for wait := time.Now(); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Since(wait) > 5*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// A panic in the background is raised in the loop, which can recover from it.
func TestLoaderPanics(t *testing.T) {
	ds := broken{Procedural(10, 16, 1), func(int) bool { panic("a bug") }}
	for _, workers := range []int{0, 1, 3} {
		func() {
			defer func() {
				if r := recover(); r != "a bug" {
					t.Errorf("%d workers: recovered %v", workers, r)
				}
			}()
			for b, err := range newLoader(t, ds, LoaderOptions{Batch: 4, Workers: workers}).Batches(t.Context(), 0, 0) {
				t.Errorf("batch %v, error %v", b, err)
			}
		}()
	}
}

// As many images are read at the same time as there are workers, whatever the number of threads.
func TestLoaderWorkers(t *testing.T) {
	threads := tensor.Threads()
	defer tensor.SetThreads(threads)
	tensor.SetThreads(1)
	const workers = 5
	var reading atomic.Int64
	var once sync.Once
	all := make(chan struct{}) // closed when all workers are reading
	ds := broken{Procedural(20, 16, 1), func(int) bool {
		n := reading.Add(1)
		defer reading.Add(-1)
		if n > workers {
			t.Errorf("%d images are read at the same time, want at most %d", n, workers)
		}
		if n == workers {
			once.Do(func() { close(all) })
		}
		select {
		case <-all:
		case <-time.After(20 * time.Second):
			t.Errorf("%d images are not read at the same time", workers)
		}
		return false
	}}
	if got := batches(t, newLoader(t, ds, LoaderOptions{Batch: 20, Workers: workers}), 0, 0); len(got) != 1 {
		t.Errorf("%d batches", len(got))
	}
}

// TestLoaderMemory: batches are reused, so their number does not grow the heap.
func TestLoaderMemory(t *testing.T) {
	l := newLoader(t, Cached(Procedural(64, 16, 1), 1<<20), LoaderOptions{Batch: 4, Ahead: 3})
	different := map[*float32]bool{}
	for range 2 {
		for b, err := range l.Batches(t.Context(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			values, _ := b.Tensor("image")
			different[&values[0]] = true
		}
	}
	if len(different) > 2*5 {
		t.Errorf("%d batches were allocated in two epochs, want at most 10", len(different))
	}
}

func BenchmarkLoader(b *testing.B) {
	ds := Cached(Procedural(2560, 32, 1), 1<<30)
	for name, p := range map[string]Pipeline{"padcrop": &PadCrop{Pad: 4, Views: []View{{Size: 32, Filter: Bicubic, Norm: Unit}}}, "vqkd": squareCrop(32)} {
		b.Run("pipeline="+name, func(b *testing.B) {
			l, err := NewLoader(ds, LoaderOptions{Batch: 128, Pipeline: p})
			if err != nil {
				b.Fatal(err)
			}
			n, epoch := 0, 0
			for b.Loop() {
				for batch := range l.Batches(b.Context(), epoch, 0) {
					n += len(batch.Index)
				}
				epoch++
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
