package optim

import "math"

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

// LayerDecay returns the factor on the learning rate of layer id 0 … layers+1, which is decay^(layers+1-id). beit.LayerID returns the
// ids.
func LayerDecay(decay float64, layers, id int) float64 {
	return math.Pow(decay, float64(layers+1-id))
}
