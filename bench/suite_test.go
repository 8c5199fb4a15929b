package bench

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// eachLevel runs a test with the suite of every CPU level.
func eachLevel(t *testing.T, f func(t *testing.T, dev *tensor.Device, suite []Case)) {
	for _, level := range tensor.CPULevels() {
		t.Run(level, func(t *testing.T) {
			dev := tensor.CPULevel(level)
			f(t, dev, Suite(dev))
		})
	}
}

// Names are key=value pairs that benchstat can tell apart: no slash in a value, no key twice. Each benchmark has cases, and no case is there
// twice.
func TestNames(t *testing.T) {
	pair := regexp.MustCompile(`^[a-z]+=[A-Za-z0-9_.-]+$`)
	eachLevel(t, func(t *testing.T, dev *tensor.Device, suite []Case) {
		seen, met := map[string]bool{}, map[string]bool{}
		for _, c := range suite {
			if seen[c.Name()] {
				t.Errorf("%s twice", c.Name())
			}
			seen[c.Name()], met[c.Benchmark] = true, true
			keys := map[string]bool{}
			for _, text := range strings.Split(c.Params, "/") {
				key, _, _ := strings.Cut(text, "=")
				if !pair.MatchString(text) || keys[key] {
					t.Errorf("%s: %q is no key=value of its own", c.Name(), text)
				}
				keys[key] = true
			}
			if !strings.HasSuffix(c.Name(), "/dev=cpu/level="+dev.Variant(c.Precision)) {
				t.Errorf("%s does not end with device and level", c.Name())
			}
		}
		for _, name := range Benchmarks() {
			if !met[name] {
				t.Errorf("%s has no case", name)
			}
		}
	})
}

// A precision has cases exactly if its results differ from those of the highest: otherwise it would run the same code.
func TestPrecisionsRunOtherCode(t *testing.T) {
	eachLevel(t, func(t *testing.T, dev *tensor.Device, _ []Case) {
		for op, result := range map[string]func(p tensor.Precision) []float32{
			"MatMul": func(p tensor.Precision) []float32 {
				x, w, y := random(dev, 1, 40, 300), random(dev, 2, 50, 300), tensor.New(dev, 40, 50)
				tensor.MatMulInto(y, x, w.T(), false, p)
				return y.Float32s()
			},
			"Attention": func(p tensor.Precision) []float32 {
				return tensor.Attention(tensor.AttentionArgs{QKV: random(dev, 1, 2, 40, 3*64), Heads: 1, Scale: 0.125, Precision: p}).Out.Float32s()
			},
		} {
			highest := result(tensor.Highest)
			for _, p := range []tensor.Precision{tensor.High, tensor.Medium} {
				other, listed := !slices.Equal(result(p), highest), slices.Contains(precisions(dev, op), p)
				if other != listed {
					t.Errorf("%s at %s: other results than at highest: %v; has cases: %v", op, p, other, listed)
				}
			}
		}
	})
}

// The two ways to look codes up agree, up to codes whose distances are equal but for rounding.
func TestLookupsAgree(t *testing.T) {
	dev := tensor.CPU()
	const tokens, codes, dim = 600, 512, 16
	z, codebook := unit(dev, 1, tokens, dim), unit(dev, 2, codes, dim)
	fused, split := tensor.NearestCode(z, codebook).Ints(), argmaxOfMatmul(z, codebook).Ints()
	rows, book := z.Float32s(), codebook.Float32s()
	dot := func(token int, code int32) (sum float64) {
		for i := range dim {
			sum += float64(rows[token*dim+i]) * float64(book[int(code)*dim+i])
		}
		return sum
	}
	for i := range fused {
		if gap := math.Abs(dot(i, fused[i]) - dot(i, split[i])); gap > 1e-6 {
			t.Errorf("token %d: codes %d and %d, whose products differ by %g", i, fused[i], split[i], gap)
		}
	}
}

// Training steps can be run more than once, and free their memory.
func TestStepsRun(t *testing.T) {
	dev := tensor.CPU()
	for _, c := range []Case{vqkdStep(dev, "small32", 4, tensor.Medium), mimStep(dev, "small32", 4, tensor.Highest), givenStep(dev, "small32", 4, tensor.Highest)} {
		t.Run(c.Name(), func(t *testing.T) { runsTwice(t, dev, c) })
	}
}

// So do all other cases that take no time.
func TestCasesRun(t *testing.T) {
	dev := tensor.CPU()
	for _, c := range Suite(dev) {
		if c.FLOPs > 0 && c.FLOPs < 3e9 {
			t.Run(c.Name(), func(t *testing.T) { runsTwice(t, dev, c) })
		}
	}
}

func runsTwice(t *testing.T, dev *tensor.Device, c Case) {
	before := dev.MemStats().InUse
	run, release := c.Setup()
	run()
	run()
	release()
	if err := dev.Sync(t.Context()); err != nil {
		t.Error(err)
	}
	if after := dev.MemStats().InUse; after > before+1<<20 {
		t.Errorf("%d bytes are in use after release, %d before", after, before)
	}
}
