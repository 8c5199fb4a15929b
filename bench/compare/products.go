package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// product is one linear layer: M rows, K inputs, N outputs.
type product struct {
	name    string
	m, n, k int
}

// The layers of a ViT-B at 8 images of 197 tokens, and the head over 8192 codes at 600 masked tokens.
var products = []product{
	{"qkv", 1576, 2304, 768},
	{"proj", 1576, 768, 768},
	{"fc1", 1576, 3072, 768},
	{"fc2", 1576, 768, 3072},
	{"head", 600, 8192, 768},
}

// settle is longer than the worker threads of OpenBLAS go on spinning after a product: whoever is measured next has the
// processor for itself.
const settle = 250 * time.Millisecond

// swing is how long a side runs before it is measured.
const swing = 150 * time.Millisecond

// peer is another implementation of y = x·wᵀ for x [M, K], w [N, K], y [M, N], all row-major.
type peer struct {
	name  string
	about string // its version, and what else is to be known
	void  string // why its speeds count for nothing; "" where they count
	// prepare returns what multiplies once, on as many threads, and what shows the result after that.
	prepare func(x, w []float32, p product, threads int) (run func(), result func() []float32, err error)
}

// compareProducts writes a table: a row for each product and number of threads.
func compareProducts(page *bytes.Buffer, peers []peer, rounds, maxThreads int) error {
	fmt.Fprintf(page, "\n### Matmuls in float32\n\nGFLOP/s, and in brackets how many times as fast gobeit is. Results are compared before anything is measured.\n\n")
	for _, p := range peers {
		if p.void != "" {
			fmt.Fprintf(page, "Void: %s.\n\n", p.void)
		}
	}
	fmt.Fprint(page, "| threads | layer | M x N x K | gobeit | of peak |")
	for _, p := range peers {
		fmt.Fprintf(page, " %s |", p.name)
	}
	fmt.Fprint(page, "\n|---|---|---|---|---|", string(bytes.Repeat([]byte("---|"), len(peers))), "\n")
	core := bench.Peak(tensor.CPU(), tensor.Highest) / 1e9
	for threads := 1; threads <= maxThreads; threads++ {
		tensor.SetThreads(threads)
		for _, p := range products {
			speeds, err := p.measure(rounds, threads, peers)
			if err != nil {
				return err
			}
			fmt.Fprintf(page, "| %d | %s | %d x %d x %d | %.1f | %.0f %% |", threads, p.name, p.m, p.n, p.k, speeds[0], 100*speeds[0]/(core*float64(threads)))
			for i, theirs := range speeds[1:] {
				ratio := "void"
				if peers[i].void == "" {
					ratio = fmt.Sprintf("%.2f", speeds[0]/theirs)
				}
				fmt.Fprintf(page, " %.1f (%s) |", theirs, ratio)
			}
			fmt.Fprintln(page)
		}
	}
	return nil
}

// measure returns the median speed of each side in GFLOP/s, ours first. An error says that results disagree.
func (p product) measure(rounds, threads int, peers []peer) ([]float64, error) {
	dev := tensor.CPU()
	x, w := values(1, p.m*p.k), values(2, p.n*p.k)
	tx, tw, ty := tensor.FromSlice(dev, x, p.m, p.k), tensor.FromSlice(dev, w, p.n, p.k), tensor.New(dev, p.m, p.n)
	defer tx.Release()
	defer tw.Release()
	defer ty.Release()

	sides := []func(){func() { tensor.MatMulInto(ty, tx, tw.T(), false, tensor.Highest) }}
	sides[0]()
	for _, peer := range peers {
		run, result, err := peer.prepare(x, w, p, threads)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", peer.name, err)
		}
		run()
		if err := p.agree(ty.Float32s(), result(), peer.name); err != nil {
			return nil, err
		}
		sides = append(sides, run)
	}
	times := make([][]time.Duration, len(sides))
	for range rounds {
		for i, run := range sides {
			times[i] = append(times[i], timed(run))
		}
	}
	speeds := make([]float64, len(sides))
	for i, t := range times {
		speeds[i] = p.speed(t)
	}
	return speeds, nil
}

// speed is that of the median of times, in GFLOP/s.
func (p product) speed(times []time.Duration) float64 {
	slices.Sort(times)
	return 2 * float64(p.m) * float64(p.n) * float64(p.k) / times[len(times)/2].Seconds() / 1e9
}

// agree compares two results. Each errs by at most K roundings of 2^-24 of the sum of |x·w|,
// which is at most K/4 for values in [-1/2, 1/2].
func (p product) agree(got, want []float32, name string) error {
	bound := 2 * float64(p.k) * 0x1p-24 * float64(p.k) / 4
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= bound) {
			return fmt.Errorf("%s: element %d is %g with package tensor and %g with %s", p.name, i, got[i], want[i], name)
		}
	}
	return nil
}

// values returns n numbers in [-1/2, 1/2].
func values(seed uint64, n int) []float32 {
	x, r := make([]float32, n), tensor.NewRand(seed)
	for i := range x {
		x[i] = float32(r.Uniform(-0.5, 0.5))
	}
	return x
}

// timed measures f in full swing: after a rest it takes threads some time to be spread over the processors.
func timed(f func()) time.Duration {
	time.Sleep(settle)
	for begun := time.Now(); time.Since(begun) < swing; {
		f()
	}
	start := time.Now()
	f()
	return time.Since(start)
}
