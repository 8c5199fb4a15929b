package opcase_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
)

func TestCasesOnEveryCPULevel(t *testing.T) {
	levels := tensor.CPULevels()
	for _, c := range opcase.Cases() {
		if testing.Short() && c.FLOPs > 1e5 {
			continue // the reference takes long under the race detector; the next test runs all cases
		}
		p := opcase.Prepare(c)
		for i, level := range levels {
			if testing.Short() && i > 0 && i < len(levels)-1 {
				continue
			}
			t.Run(level+"/"+c.Name, func(t *testing.T) {
				dev := tensor.CPULevel(level)
				dev.SetPoison(true)
				if err := p.Check(dev); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestKeptOnEveryCPULevel(t *testing.T) {
	for _, level := range tensor.CPULevels() {
		dev := tensor.CPULevel(level)
		dev.SetPoison(true)
		if err := opcase.CheckKept(dev); err != nil {
			t.Error(err)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range opcase.Cases() {
		if seen[c.Name] {
			t.Errorf("two cases are named %s", c.Name)
		}
		seen[c.Name] = true
	}
}

// Results have the same bytes on any number of threads.
func TestBytesDoNotDependOnThreads(t *testing.T) {
	defer tensor.SetThreads(tensor.Threads())
	dev := tensor.CPU()
	for _, c := range opcase.Cases() {
		p := opcase.Prepare(c)
		want := ""
		for _, threads := range []int{1, 2, 5} {
			tensor.SetThreads(threads)
			out, grads := p.Run(dev, 0)
			got := fingerprint(append(out, grads...))
			if threads == 1 {
				want = got
			} else if got != want {
				t.Errorf("%s: %d threads give other bytes than one", c.Name, threads)
			}
		}
	}
}

func fingerprint(ts []*tensor.Tensor) string {
	var b strings.Builder
	for _, t := range ts {
		switch {
		case t == nil:
		case t.DType() == tensor.Int32:
			fmt.Fprintln(&b, t.Ints())
		default:
			h := uint64(14695981039346656037)
			for _, v := range t.Float32s() {
				h = (h ^ uint64(math.Float32bits(v))) * 1099511628211
			}
			fmt.Fprintln(&b, h)
		}
	}
	return b.String()
}

// A case with a wrong reference, and one with a wrong gradient, must be found.
func TestCheckFindsMistakes(t *testing.T) {
	var scaled opcase.Case
	for _, c := range opcase.Cases() {
		if c.Name == "Unary/op=exp/n=17" {
			scaled = c
		}
	}
	dev := tensor.CPU()
	wrongOutput := scaled
	wrongOutput.Reference = func(in [][]float64) [][]float64 {
		y := scaled.Reference(in)
		y[0][3] += 1e-3
		return y
	}
	wrongGradient := scaled
	wrongGradient.Backward = func(dev *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{tensor.Affine(scaled.Backward(dev, in, out, dy)[0], 1.0001, 0)}
	}
	for what, c := range map[string]opcase.Case{"output 0: element 3": wrongOutput, "gradient of input 0": wrongGradient} {
		if err := opcase.Check(dev, c); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("Check = %v, want an error about %q", err, what)
		}
	}
}

func BenchmarkOp(b *testing.B) {
	for _, c := range opcase.Cases() {
		if c.FLOPs < 1e6 {
			continue // too short to say anything
		}
		for _, level := range tensor.CPULevels() {
			b.Run(c.Name+"/dev=cpu/cpu="+level, func(b *testing.B) {
				dev := tensor.CPULevel(level)
				in := opcase.Prepare(c).Upload(dev, 0)
				b.ReportAllocs()
				for b.Loop() {
					for _, t := range c.Forward(dev, in) {
						t.Release()
					}
				}
				b.ReportMetric(c.FLOPs*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func Example() {
	for _, c := range opcase.Cases() {
		if strings.HasPrefix(c.Name, "Softmax/") {
			if err := opcase.Check(tensor.CPU(), c); err != nil {
				fmt.Println(err)
			}
		}
	}
	fmt.Println("checked")
	// Output: checked
}
