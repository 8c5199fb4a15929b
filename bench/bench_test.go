package bench_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// BenchmarkMatMul is y = x·wᵀ in the shapes of a ViT-B, and of square matrices.
func BenchmarkMatMul(b *testing.B) { run(b, bench.MatMul) }

// BenchmarkCodebookLookup finds the nearest code of each token.
func BenchmarkCodebookLookup(b *testing.B) { run(b, bench.CodebookLookup) }

// BenchmarkAttention is multi-head attention, forward and backward.
func BenchmarkAttention(b *testing.B) { run(b, bench.Attention) }

// BenchmarkConv is a 3 x 3 convolution, forward and backward.
func BenchmarkConv(b *testing.B) { run(b, bench.Conv) }

// BenchmarkTrainStep is a whole training step.
func BenchmarkTrainStep(b *testing.B) { run(b, bench.TrainStep) }

// run measures the cases of a benchmark on the device that BEIT_DEVICE names.
func run(b *testing.B, benchmark string) {
	dev, err := device()
	if err != nil {
		b.Fatal(err)
	}
	tensor.SetThreads(runtime.GOMAXPROCS(0)) // which -cpu changes
	for _, c := range bench.Suite(dev) {
		if c.Benchmark == benchmark && (!c.OnRequest || requested(pattern(), benchmark)) {
			b.Run(c.Params, func(b *testing.B) { measure(b, dev, c) })
		}
	}
}

// measure runs one case. The time of a run includes waiting for the device.
func measure(b *testing.B, dev *tensor.Device, c bench.Case) {
	run, release := c.Setup()
	defer release()
	once := func() {
		run()
		if err := dev.Sync(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	once() // the first run allocates
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
	rates := c.Rates(b.Elapsed().Seconds() / float64(b.N))
	for _, r := range []struct {
		value float64
		unit  string
	}{{rates.GFLOPs, "GFLOP/s"}, {100 * rates.OfPeak, "%peak"}, {rates.Tokens, "tokens/s"}, {rates.Images, "images/s"}} {
		if r.value > 0 {
			b.ReportMetric(r.value, r.unit)
		}
	}
}

// device opens the device that BEIT_DEVICE names as --device does for the command. The default is the CPU.
var device = sync.OnceValues(func() (*tensor.Device, error) {
	name := os.Getenv("BEIT_DEVICE")
	if name == "" {
		name = "cpu"
	}
	dev, err := vulkan.OpenNamed(context.Background(), name)
	if err != nil {
		return nil, fmt.Errorf("BEIT_DEVICE=%s: %w", name, err)
	}
	return dev, nil
})

// pattern returns the value of -bench.
func pattern() string { return flag.Lookup("test.bench").Value.String() }

// requested reports whether a pattern names a benchmark, at least in part: "TrainStep", "Step/.*medium", and not ".". Then cases on request run too.
func requested(pattern, benchmark string) bool {
	return slices.ContainsFunc(words.FindAllString(pattern, -1), func(word string) bool {
		word = strings.TrimPrefix(word, "Benchmark")
		return word != "" && strings.Contains(benchmark, word)
	})
}

var words = regexp.MustCompile(`[A-Za-z]{3,}`)

// benchtime is the default of -benchtime here. Go's own, a second, would make all cases take more than a minute.
const benchtime = "500ms"

// TestMain shortens benchmarks, and writes the processor above their results, as a line of Go's benchmark format. The one that Go writes does not
// tell the generations of a processor apart.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.benchtime" })
	if !given {
		if err := flag.Set("test.benchtime", benchtime); err != nil {
			panic(err) // it is a duration
		}
	}
	os.Exit(withDevice(m.Run))
}

// withDevice runs the tests. If there are benchmarks among them, it opens the device before and closes it afterwards.
func withDevice(run func() int) int {
	if pattern() == "" {
		return run()
	}
	dev, err := device()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer vulkan.Close(dev)
	fmt.Println("processor: " + bench.Processor(dev))
	return run()
}

func TestRequested(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    bool
	}{
		{".", false}, {"Benchmark", false}, {"BenchmarkTrainStep", true}, {"^BenchmarkTrainStep$", true}, {"Train", true},
		{"MatMul", false}, {"MatMul/m=1576|TrainStep/model=(mim|vqkd)", true}, {"TrainStep/.*/preset=base_300e", true},
		{"./precision=highest", false}, {"(", false},
	} {
		if got := requested(c.pattern, bench.TrainStep); got != c.want {
			t.Errorf("-bench %q asks for the cases on request of TrainStep: %v, want %v", c.pattern, got, c.want)
		}
	}
}
