// Command compare measures the matrix products of a ViT-B, y = x·wᵀ in float32, with package
// tensor and with OpenBLAS in alternation, and prints the median and the best speed of each,
// their ratios, and what share of the cores' peak package tensor reaches.
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// product is one linear layer: M rows, K inputs, N outputs.
type product struct {
	name    string
	m, n, k int
}

// The layers of a ViT-B at 8 pictures of 197 tokens, and the head over 8192 codes at 600 masked tokens.
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

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 7, "measurements of each side, `N` >= 5; the table shows their medians")
	maxThreads := flag.Int("threads", 2, "largest `number` of threads; all from 1 on are measured")
	flag.Parse()
	if *rounds < 5 || *maxThreads < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := tensor.CheckCPU(); err != nil {
		log.Fatal(err)
	}
	core := tensor.CoreFLOPs(tensor.CPU(), tensor.Highest) / 1e9
	fmt.Printf("gobeit: %s\nBLAS:   %s\nGFLOP/s on %d CPUs, %d measurements each; peak %.1f a core\n\n",
		tensor.CPU().Name(), openBLAS(), runtime.NumCPU(), *rounds, core)

	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "threads\tproduct\tM\tN\tK\tmedian gobeit\tof peak\tBLAS\tratio\tbest gobeit\tBLAS\tratio\t")
	for threads := 1; threads <= *maxThreads; threads++ {
		tensor.SetThreads(threads)
		openBLASThreads(threads)
		for _, p := range products {
			ours, theirs, err := p.measure(*rounds)
			if err != nil {
				log.Fatal(err)
			}
			a, b, bestA, bestB := p.speed(median(ours)), p.speed(median(theirs)), p.speed(ours[0]), p.speed(theirs[0])
			fmt.Fprintf(table, "%d\t%s\t%d\t%d\t%d\t%.1f\t%.0f %%\t%.1f\t%.2f\t%.1f\t%.1f\t%.2f\t\n",
				threads, p.name, p.m, p.n, p.k, a, 100*a/(core*float64(threads)), b, a/b, bestA, bestB, bestA/bestB)
		}
	}
	if err := table.Flush(); err != nil {
		log.Fatal(err)
	}
}

// measure returns the times of both sides, which take turns, in ascending order. An error says that
// their results disagree.
func (p product) measure(rounds int) (ours, theirs []time.Duration, err error) {
	dev := tensor.CPU()
	x, w := values(1, p.m*p.k), values(2, p.n*p.k)
	want := make([]float32, p.m*p.n)
	tx, tw, ty := tensor.FromSlice(dev, x, p.m, p.k), tensor.FromSlice(dev, w, p.n, p.k), tensor.New(dev, p.m, p.n)
	defer tx.Release()
	defer tw.Release()
	defer ty.Release()

	us := func() { tensor.MatMulInto(ty, tx, tw.T(), false, tensor.Highest) }
	them := func() { openBLASLinear(want, x, w, p.m, p.n, p.k) }
	us()
	them()
	if err := p.agree(ty.Float32s(), want); err != nil {
		return nil, nil, err
	}
	for range rounds {
		ours = append(ours, timed(us))
		theirs = append(theirs, timed(them))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	return ours, theirs, nil
}

// agree compares two results. Each errs by at most K roundings of 2^-24 of the sum of |x·w|,
// which is at most K/4 for values in [-1/2, 1/2].
func (p product) agree(got, want []float32) error {
	bound := 2 * float64(p.k) * 0x1p-24 * float64(p.k) / 4
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= bound) {
			return fmt.Errorf("%s: element %d is %g with package tensor and %g with OpenBLAS", p.name, i, got[i], want[i])
		}
	}
	return nil
}

func (p product) speed(t time.Duration) float64 {
	return 2 * float64(p.m) * float64(p.n) * float64(p.k) / t.Seconds() / 1e9
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

// median is the middle of sorted times.
func median(t []time.Duration) time.Duration { return t[len(t)/2] }
