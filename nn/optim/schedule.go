package optim

import "math"

// Schedule is a learning-rate schedule.
type Schedule interface {
	// At returns the learning rate of step t = 0, 1, ….
	At(t int) float64
}

var _ = []Schedule{Cosine{}, Linear{}, Polynomial{}, StepDecay{}, Milestones{}, Warmup{}}

// Cosine is the learning-rate schedule of the authors' recipes (cosine_scheduler in microsoft/unilm, beit2/utils.py). It rises linearly
// from Start to Peak over the first Warmup steps, Peak included. Then it falls as half a cosine from Peak to Min, which it reaches at
// step Total. A warm-up of a single step has rate Start.
type Cosine struct {
	Start         float64 // where the warm-up begins; 0 in every published recipe
	Peak, Min     float64
	Warmup, Total int
}

// At returns the learning rate of step t = 0, 1, …. From step Total on it is Min.
func (c Cosine) At(t int) float64 {
	if t < c.Warmup {
		if c.Warmup == 1 {
			return c.Start
		}
		return c.Start + (c.Peak-c.Start)*float64(t)/float64(c.Warmup-1)
	}
	if t >= c.Total {
		return c.Min
	}
	i, m := float64(t-c.Warmup), float64(c.Total-c.Warmup)
	return c.Min + 0.5*(c.Peak-c.Min)*(1+math.Cos(math.Pi*i/m))
}

// Linear goes in a straight line from From at step 0 to To at step Total, and stays there. With From = lr·start_factor and To =
// lr·end_factor it is PyTorch's LinearLR.
type Linear struct {
	From, To float64
	Total    int
}

// At returns the learning rate of step t.
func (l Linear) At(t int) float64 {
	if t >= l.Total {
		return l.To
	}
	return l.From + (l.To-l.From)*float64(t)/float64(l.Total)
}

// Polynomial falls from Peak to Min, which it reaches at step Total, as (1 − t/Total) to the power of Power. It is PyTorch's PolynomialLR.
// With Power 1 and a Warmup it is the schedule of the published UperNet recipes.
type Polynomial struct {
	Peak, Min float64
	Power     float64
	Total     int
}

// At returns the learning rate of step t. From step Total on it is Min.
func (p Polynomial) At(t int) float64 {
	if t >= p.Total {
		return p.Min
	}
	return p.Min + (p.Peak-p.Min)*math.Pow(1-float64(t)/float64(p.Total), p.Power)
}

// StepDecay begins at Peak and multiplies the rate by Factor after every Every steps, like PyTorch's StepLR. An Every of 0 never does.
type StepDecay struct {
	Peak, Factor float64
	Every        int
}

// At returns the learning rate of step t.
func (s StepDecay) At(t int) float64 {
	if s.Every <= 0 {
		return s.Peak
	}
	return s.Peak * math.Pow(s.Factor, float64(t/s.Every))
}

// Milestones begins at Peak and multiplies the rate by Factor at each of the steps in Steps, like PyTorch's MultiStepLR.
type Milestones struct {
	Peak, Factor float64
	Steps        []int
}

// At returns the learning rate of step t.
func (m Milestones) At(t int) float64 {
	rate := m.Peak
	for _, step := range m.Steps {
		if t >= step {
			rate *= m.Factor
		}
	}
	return rate
}

// Warmup multiplies the first Steps rates of another schedule by a factor that rises linearly from Ratio at step 0 to 1 at step Steps. It is
// the linear warm-up of mmcv. Cosine has a warm-up of its own.
type Warmup struct {
	Schedule
	Steps int
	Ratio float64
}

// At returns the learning rate of step t.
func (w Warmup) At(t int) float64 {
	rate := w.Schedule.At(t)
	if t < w.Steps {
		rate *= w.Ratio + (1-w.Ratio)*float64(t)/float64(w.Steps)
	}
	return rate
}

// LayerDecay returns the factor on the learning rate of layer id 0 … layers+1, which is decay^(layers+1-id). beit.LayerID returns the
// ids.
func LayerDecay(decay float64, layers, id int) float64 {
	return math.Pow(decay, float64(layers+1-id))
}
