package oracletest

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
)

// schedule is the content of schedule.json.
type schedule struct {
	Cosine []struct {
		Args struct {
			Base        float64 `json:"base_value"`
			Final       float64 `json:"final_value"`
			Epochs      int     `json:"epochs"`
			Steps       int     `json:"niter_per_ep"`
			Warmup      int     `json:"warmup_epochs"`
			WarmupSteps int     `json:"warmup_steps"`
			Start       float64 `json:"start_warmup_value"`
		} `json:"args"`
		Values []float64 `json:"values"`
	} `json:"cosine_scheduler"`
	LayerDecay []struct {
		Decay      float64   `json:"layer_decay"`
		Layers     int       `json:"num_layers"`
		Values     []float64 `json:"values"`
		Parameters map[string]struct {
			Layer int     `json:"layer_id"`
			Scale float64 `json:"scale"`
		} `json:"parameters"`
		Extra map[string]struct {
			Layer int `json:"layer_id"`
		} `json:"extra_names"`
	} `json:"layer_decay"`
	Groups map[string]struct {
		Parameters map[string]group `json:"parameters"`
	} `json:"weight_decay_groups"`
	DropPath []struct {
		Args struct {
			Depth int     `json:"depth"`
			Early int     `json:"early_layers"`
			Head  int     `json:"head_layers"`
			Rate  float64 `json:"drop_path_rate"`
		} `json:"args"`
		Blocks []float64 `json:"blocks"`
		Extra  []float64 `json:"cls_pt_layers"`
	} `json:"drop_path_rates"`
	Masks []maskCase                 `json:"masks"`
	Init  map[string]json.RawMessage `json:"init_statistics"` // models, a note and a config
}

type group struct {
	Shape []int   `json:"shape"`
	Decay float64 `json:"weight_decay"`
	Scale float64 `json:"lr_scale"`
}

func runSchedule(t *testing.T, set *Set) {
	var s schedule
	set.JSON(t, "schedule.json", &s)
	part := func(name string, n int, check func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			if n == 0 {
				set.Unknown(t, "schedule.json has nothing of this")
			}
			check(t)
		})
	}
	if len(s.Cosine)+len(s.LayerDecay)+len(s.Groups)+len(s.DropPath)+len(s.Masks)+len(s.Init) == 0 {
		t.Error("schedule.json has nothing that is checked here")
	}
	part("cosine", len(s.Cosine), func(t *testing.T) { runCosine(t, s) })
	part("layer_decay", len(s.LayerDecay), func(t *testing.T) { runLayerDecay(t, s) })
	part("weight_decay_groups", len(s.Groups), func(t *testing.T) { runGroups(t, set, s) })
	part("drop_path", len(s.DropPath), func(t *testing.T) { runDropPath(t, s) })
	part("masks", len(s.Masks), func(t *testing.T) {
		for i, c := range s.Masks {
			t.Run(strconv.Itoa(i), func(t *testing.T) { runMasks(t, c) })
		}
	})
	part("init", len(s.Init), func(t *testing.T) { runInit(t, s) })
}

const relPosTable = "relative_position_bias_table"

// near compares with a relative tolerance.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func runCosine(t *testing.T, s schedule) {
	for i, c := range s.Cosine {
		a := c.Args
		warmup := a.Warmup * a.Steps
		if a.WarmupSteps > 0 {
			warmup = a.WarmupSteps
		}
		schedule := optim.Cosine{Start: a.Start, Peak: a.Base, Min: a.Final, Warmup: warmup, Total: a.Epochs * a.Steps}
		if len(c.Values) != schedule.Total {
			t.Fatalf("schedule %d has %d values, want %d", i, len(c.Values), schedule.Total)
		}
		for step, want := range c.Values { // near the end both are a small difference of numbers as large as the peak
			if got := schedule.At(step); !(math.Abs(got-want) <= 1e-12*max(math.Abs(a.Base), math.Abs(want))) {
				t.Errorf("schedule %d, step %d: %v, want %v", i, step, got, want)
			}
		}
	}
}

func runLayerDecay(t *testing.T, s schedule) {
	for _, c := range s.LayerDecay {
		for id, want := range c.Values {
			near(t, "layer "+strconv.Itoa(id), optim.LayerDecay(c.Decay, c.Layers, id), want, 1e-12)
		}
		for name, p := range c.Parameters {
			if got := beit.LayerID(name, c.Layers); got != p.Layer {
				t.Errorf("%s belongs to layer %d, want %d", name, got, p.Layer)
			}
			near(t, name, optim.LayerDecay(c.Decay, c.Layers, beit.LayerID(name, c.Layers)), p.Scale, 1e-12)
		}
		for name, p := range c.Extra {
			if got := beit.LayerID(name, c.Layers); got != p.Layer {
				t.Errorf("%s belongs to layer %d, want %d", name, got, p.Layer)
			}
		}
	}
}

// runGroups declares the models of the parameter groups and compares the shape, weight decay and learning rate of every parameter.
// In the project's own set the name of a group says whether relative position bias tables have no weight decay. In another set the decay
// of the tables says so.
func runGroups(t *testing.T, own *Set, s schedule) {
	for name, groups := range s.Groups {
		t.Run(name, func(t *testing.T) {
			shapes := map[string][]int{}
			most, slowest := 0.0, 1.0
			exempt := strings.Contains(name, "no_decay_on_rel_pos_bias")
			for p, g := range groups.Parameters {
				shapes[p] = g.Shape
				exempt = exempt || own.other && g.Decay == 0 && strings.HasSuffix(p, relPosTable)
				most, slowest = max(most, g.Decay), min(slowest, g.Scale)
			}
			set, depth := declare(t, shapes, settings{earlyLayer: 1, layerScale: 0.1})
			if exempt {
				for _, p := range set.Params() {
					p.NoDecay = p.NoDecay || strings.HasSuffix(p.Name, relPosTable)
				}
			}
			decay := math.Pow(slowest, 1/float64(depth+1)) // the slowest are the embeddings, depth+1 layers below the head
			for _, p := range set.Params() {
				want, ok := groups.Parameters[p.Name]
				if p.Buffer || !ok {
					if p.Buffer == ok {
						t.Errorf("%s: optimised %v, want %v", p.Name, !p.Buffer, ok)
					}
					continue
				}
				if !p.Shape.Equal(want.Shape) {
					t.Errorf("%s has shape %v, want %v", p.Name, p.Shape, want.Shape)
				}
				if got := p.Decays(); got != (want.Decay == most) {
					t.Errorf("%s decays: %v, want a decay of %g", p.Name, got, want.Decay)
				}
				near(t, p.Name, optim.LayerDecay(decay, depth, beit.LayerID(p.Name, depth)), want.Scale, 1e-12)
			}
			if missing := len(groups.Parameters) - len(trainable(set)); missing != 0 {
				t.Errorf("%d parameters more than the model has", missing)
			}
		})
	}
}

func trainable(set *nn.Set) []*nn.Param {
	var out []*nn.Param
	for _, p := range set.Params() {
		if !p.Buffer {
			out = append(out, p)
		}
	}
	return out
}

func runDropPath(t *testing.T, s schedule) {
	for _, c := range s.DropPath {
		v := beit.ViTConfig{ImageSize: 8, PatchSize: 4, Channels: 3, Width: 8, Depth: c.Args.Depth, Heads: 2, MLPRatio: 4, DropPath: c.Args.Rate}
		m := beit.NewMIM(nn.NewSet().Scope(), beit.MIMConfig{
			ViT: v, Vocab: 8, Aggregation: beit.AggregationConfig{Layer: c.Args.Early, Depth: c.Args.Head, SharedHead: true},
		})
		check := func(what string, blocks nn.Blocks, want []float64) {
			if len(blocks) != len(want) {
				t.Fatalf("%s: %d, want %d", what, len(blocks), len(want))
			}
			for i, b := range blocks {
				near(t, what+strconv.Itoa(i), b.DropPath, want[i], 1e-6)
			}
		}
		check("block ", m.Blocks, c.Blocks)
		check("aggregation block ", m.AggregationBlocks, c.Extra)
	}
}
