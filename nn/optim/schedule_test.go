package optim

import (
	"fmt"
	"math"
	"testing"
)

// The schedule of the published UperNet recipes: float64 values of mmcv 1.3.0's poly rule with its linear warm-up, at the first learning rate.
func TestPolynomialWithWarmup(t *testing.T) {
	s := Warmup{Schedule: Polynomial{Peak: 1, Power: 1, Total: 100}, Steps: 10, Ratio: 1e-6}
	for step, want := range map[int]float64{
		0: 1e-6, 1: 0.099000891, 2: 0.196000784, 9: 0.819000091, 10: 0.9, 11: 0.89, 50: 0.5, 99: 0.01, 100: 0, 101: 0,
	} {
		if got := s.At(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d: %v, want %v", step, got, want)
		}
	}
}

// Schedules without steps do not divide by zero.
func TestEmptySchedules(t *testing.T) {
	for want, s := range map[float64]Schedule{
		1: Linear{From: 9, To: 1}, 2: Polynomial{Peak: 9, Min: 2, Power: 1}, 3: StepDecay{Peak: 3, Factor: 0.1}, 4: Milestones{Peak: 4},
		5: Warmup{Schedule: StepDecay{Peak: 5}}, 6: Cosine{Peak: 9, Min: 6},
	} {
		if got := s.At(0); got != want {
			t.Errorf("%+v: %v, want %v", s, got, want)
		}
	}
}

// The rate falls to a tenth after 3 and after 5 steps. The first two steps warm up.
func ExampleWarmup() {
	schedule := Warmup{Schedule: Milestones{Peak: 1, Factor: 0.1, Steps: []int{3, 5}}, Steps: 2, Ratio: 0.1}
	for step := range 6 {
		fmt.Printf("%.3f ", schedule.At(step))
	}
	// Output: 0.100 0.550 1.000 0.100 0.100 0.010
}
