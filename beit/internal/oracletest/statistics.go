package oracletest

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// statistic describes a sample of random numbers.
type statistic struct {
	Shape []int   `json:"shape"`
	Mean  float64 `json:"mean"`
	Std   float64 `json:"std"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	SE    float64 `json:"standard_error"`
}

// sigmas is the largest difference of two means in combined standard errors.
const sigmas = 5

// maskCase is a configuration of block-wise masking with statistics of many masks.
type maskCase struct {
	Config struct {
		Size [2]int `json:"input_size"`
		N    int    `json:"num_masking_patches"`
		Min  int    `json:"min_num_patches"`
		Max  int    `json:"max_num_patches"`
	} `json:"config"`
	Draws      int         `json:"draws"`
	Components statistic   `json:"connected_components_4"`
	Largest    statistic   `json:"largest_component"`
	Pairs      statistic   `json:"masked_neighbour_pairs"`
	Mean       [][]float64 `json:"mean_mask"`
}

func runMasks(t *testing.T, c maskCase) {
	cfg := beit.MaskConfig{Rows: c.Config.Size[0], Cols: c.Config.Size[1], Count: c.Config.N, MinBlock: c.Config.Min, MaxBlock: c.Config.Max}
	mask := make([]bool, cfg.Rows*cfg.Cols)
	mean := make([]float64, len(mask))
	var components, largest, pairs sample
	for draw := range c.Draws {
		beit.BlockMask(cfg, tensor.NewRand(1, uint64(draw)), mask)
		on := 0
		for i, m := range mask {
			if m {
				on++
				mean[i] += 1 / float64(c.Draws)
			}
		}
		if on != cfg.Count {
			t.Fatalf("draw %d masks %d patches, want %d", draw, on, cfg.Count)
		}
		n, most := connected(mask, cfg.Cols)
		components.add(n)
		largest.add(most)
		pairs.add(neighbours(mask, cfg.Cols))
	}
	components.compare(t, "connected components", c.Components)
	largest.compare(t, "largest component", c.Largest)
	pairs.compare(t, "neighbouring pairs", c.Pairs)
	for i, got := range mean {
		want := c.Mean[i/cfg.Cols][i%cfg.Cols]
		p := (want*float64(c.Draws) + 1) / float64(c.Draws+2) // never 0 or 1, however rare the cell
		if limit := sigmas * math.Sqrt(2*p*(1-p)/float64(c.Draws)); math.Abs(got-want) > limit {
			t.Errorf("cell %d is masked with frequency %.4f, want %.4f ± %.4f", i, got, want, limit)
		}
	}
}

// sample accumulates integers.
type sample struct{ n, sum, squares float64 }

func (s *sample) add(v int) {
	s.n++
	s.sum += float64(v)
	s.squares += float64(v) * float64(v)
}

func (s *sample) compare(t *testing.T, what string, want statistic) {
	t.Helper()
	mean := s.sum / s.n
	se := math.Sqrt((s.squares/s.n - mean*mean) / s.n)
	if limit := sigmas * math.Hypot(se, want.SE); math.Abs(mean-want.Mean) > limit {
		t.Errorf("%s: mean %.4f, want %.4f ± %.4f", what, mean, want.Mean, limit)
	}
}

// connected returns the number of components of masked patches that share edges, and the size of the largest.
func connected(mask []bool, cols int) (n, most int) {
	seen := make([]bool, len(mask))
	var stack []int
	for start, on := range mask {
		if !on || seen[start] {
			continue
		}
		n++
		size := 0
		seen[start] = true
		for stack = append(stack, start); len(stack) > 0; size++ {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for _, j := range edges(i, cols, len(mask)) {
				if j >= 0 && mask[j] && !seen[j] {
					seen[j] = true
					stack = append(stack, j)
				}
			}
		}
		most = max(most, size)
	}
	return n, most
}

// edges returns the neighbours of cell i, -1 for none.
func edges(i, cols, n int) [4]int {
	out := [4]int{-1, -1, -1, -1}
	if i%cols > 0 {
		out[0] = i - 1
	}
	if i%cols < cols-1 {
		out[1] = i + 1
	}
	if i >= cols {
		out[2] = i - cols
	}
	if i+cols < n {
		out[3] = i + cols
	}
	return out
}

// neighbours counts pairs of masked patches that share an edge.
func neighbours(mask []bool, cols int) int {
	n := 0
	for i, on := range mask {
		if !on {
			continue
		}
		for _, j := range edges(i, cols, len(mask)) {
			if j > i && mask[j] {
				n++
			}
		}
	}
	return n
}

// runInit compares the distribution of the initial values of every parameter with one initialisation by the authors' code.
func runInit(t *testing.T, s schedule) {
	for name, content := range s.Init {
		if name == "note" || name == "config" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var want map[string]statistic
			if err := json.Unmarshal(content, &want); err != nil {
				t.Fatal(err)
			}
			shapes := map[string][]int{}
			for p, st := range want {
				shapes[p] = st.Shape
			}
			set, _ := declare(t, shapes, inferSettings(want))
			set.Build(tensor.CPU(), 1, nn.Inference)
			defer set.Release()
			for p, st := range want {
				if set.Lookup(p) == nil {
					t.Errorf("%s: the model has no such parameter", p)
				} else if p != "quantize.embedding.embed_avg" { // ours stays zero, because nothing uses it
					compareInit(t, set.Lookup(p), st)
				}
			}
		})
	}
}

// inferSettings infers from initial values what the file does not say. PyTorch's default weights are uniform in ±1/√fan-in. The first
// aggregation block is rescaled as block l+1, by 1/√(2(l+1)).
func inferSettings(want map[string]statistic) settings {
	given := settings{earlyLayer: 1, layerScale: want["blocks.0.gamma_1"].Min}
	if proj, ok := want["cls_pt_layers.0.attn.proj.weight"]; ok {
		given.earlyLayer = int(math.Round(1/(2*float64(proj.Shape[1])*proj.Max*proj.Max))) - 1
	}
	return given
}

// compareInit compares mean, standard deviation and, for bounded distributions, the extremes.
func compareInit(t *testing.T, p *nn.Param, want statistic) {
	t.Helper()
	if !p.Shape.Equal(want.Shape) {
		t.Errorf("%s has shape %v, want %v", p.Name, p.Shape, want.Shape)
		return
	}
	values := p.Value.Float32s()
	n := float64(len(values))
	var mean, squares float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		mean += float64(v) / n
		low, high = min(low, float64(v)), max(high, float64(v))
	}
	for _, v := range values {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	std := math.Sqrt(squares / n)
	if want.Std <= 1e-6*math.Abs(want.Mean) { // a constant
		if math.Abs(low-want.Min) > 1e-9 || math.Abs(high-want.Max) > 1e-9 {
			t.Errorf("%s is in [%g, %g], want %g", p.Name, low, high, want.Mean)
		}
		return
	}
	if limit := sigmas * want.Std * math.Sqrt(2/n); math.Abs(mean-want.Mean) > limit {
		t.Errorf("%s: mean %.3g, want %.3g ± %.3g", p.Name, mean, want.Mean, limit)
	}
	if limit := sigmas * want.Std / math.Sqrt(n); math.Abs(std-want.Std) > limit {
		t.Errorf("%s: deviation %.4g, want %.4g ± %.2g", p.Name, std, want.Std, limit)
	}
	const few, bounded = 4000, 2.0 // a sample this large comes close to its distribution's bounds, if it has any within two deviations
	if n >= few && want.Max < bounded*want.Std {
		near(t, p.Name+": largest", high, want.Max, 0.01)
		near(t, p.Name+": smallest", low, want.Min, 0.01)
	}
}
