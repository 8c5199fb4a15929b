package optim

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Values by the formula of the authors' cosine_scheduler for 625 steps an epoch, 300 epochs, 10 of warm-up.
func TestCosineGoldenValues(t *testing.T) {
	c := Cosine{Peak: 1.5e-3, Min: 1e-5, Warmup: 6250, Total: 187_500}
	for _, w := range []struct {
		step      int
		want, tol float64
	}{{0, 0, 0}, {6249, 1.5e-3, 1e-15}, {6250, 1.5e-3, 1e-15}, {(6250 + 187_500) / 2, 0.5 * (1.5e-3 + 1e-5), 1e-15}} {
		if got := c.At(w.step); math.Abs(got-w.want) > w.tol {
			t.Errorf("step %d: %v, want %v", w.step, got, w.want)
		}
	}
	if last := c.At(187_499); last <= 1e-5 || last > 1.0001e-5 {
		t.Errorf("last step: %v, want just above 1e-5", last)
	}
	if got := (Cosine{Peak: 1, Warmup: 1, Total: 5}).At(0); got != 0 {
		t.Errorf("a warm-up of one step has rate %v, want 0", got)
	}
	for _, s := range []Cosine{{Peak: 1, Min: 0.25, Warmup: 5, Total: 5}, {Peak: 1, Min: 0.25, Warmup: 2, Total: 4}} {
		if got := s.At(5); got != 0.25 {
			t.Errorf("%+v has rate %v after its end", s, got)
		}
	}
	if got, want := LayerDecay(0.65, 12, 0), 0.003697; math.Abs(got-want) > 1e-6 {
		t.Errorf("decay of the embeddings %v, want %v", got, want)
	}
}

// model declares parameters with every combination of shape and name that matters to weight decay.
func model(dev *tensor.Device) *nn.Set {
	set := nn.NewSet()
	s := set.Scope()
	draw := nn.TruncNormal(1, -2, 2)
	s.Sub("a").Param("bias", draw, 7)
	s.Sub("a").Param("weight", draw, 5, 7)
	s.Param("cls_token", draw, 1, 1, 3).NoDecay = true
	s.Sub("b").Param("weight", draw, 3, 33)
	s.Param("gamma", draw, 3)
	set.Build(dev, 5, nn.Training)
	return set
}

// TestAdamWFollowsFloat64 runs several steps with clipping, scales and a changing decay beside a plain float64 loop.
func TestAdamWFollowsFloat64(t *testing.T) {
	dev := tensor.CPU()
	set := model(dev)
	decays := map[string]bool{"a.weight": true, "b.weight": true}
	scale := func(p *nn.Param) float64 {
		if p.Name == "b.weight" {
			return 0.5
		}
		return 1
	}
	c := AdamWConfig{Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Clip: 3, LRScale: scale}
	opt := NewAdamW(set, c)
	p, m, v := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for _, q := range set.Params() {
		for _, x := range q.Value.Float32s() {
			p[q.Name] = append(p[q.Name], float64(x))
		}
		m[q.Name], v[q.Name] = make([]float64, q.Shape.Size()), make([]float64, q.Shape.Size())
	}
	r := tensor.NewRand(9)
	for step := 1; step <= 5; step++ {
		lr, decay := 1e-2/float64(step), 0.05*float64(step)
		grads, sum := map[string][]float32{}, 0.0
		for _, q := range set.Params() {
			g := make([]float32, q.Shape.Size())
			for i := range g {
				g[i] = float32(r.Norm())
				sum += float64(g[i]) * float64(g[i])
			}
			q.Grad.Upload(g)
			grads[q.Name] = g
		}
		norm := math.Sqrt(sum)
		factor := min(1, 3/(norm+1e-6))
		opt.StepDecay(lr, decay)
		if got := opt.State().Float32s(); math.Abs(float64(got[0])-norm) > 1e-5*norm || got[2] != 1 {
			t.Fatalf("state %v, norm %v", got, norm)
		}
		for _, q := range set.Params() {
			rate, d := lr*scale(q), 0.0
			if decays[q.Name] {
				d = decay
			}
			got := q.Value.Float32s()
			for i := range got {
				g := float64(grads[q.Name][i]) * factor
				mi, vi := &m[q.Name][i], &v[q.Name][i]
				*mi = 0.9**mi + 0.1*g
				*vi = 0.98**vi + 0.02*g*g
				x := &p[q.Name][i]
				*x *= 1 - rate*d
				*x -= rate * (*mi / (1 - math.Pow(0.9, float64(step)))) / (math.Sqrt(*vi/(1-math.Pow(0.98, float64(step)))) + 1e-8)
				if math.Abs(float64(got[i])-*x) > 2e-6 {
					t.Fatalf("step %d: %s[%d] = %v, want %v", step, q.Name, i, got[i], *x)
				}
			}
		}
	}
}

func TestAStepWithANaNGradientChangesNothing(t *testing.T) {
	for name, make := range optimizers {
		for _, bad := range []float64{math.NaN(), math.Inf(1)} {
			set := model(tensor.CPU())
			opt := make(set)
			moments := opt.(interface{ moments() []moment }).moments()
			before := fmt.Sprint(set.Values().Float32s())
			set.Lookup("a.weight").Grad.Fill(float32(bad))
			opt.Step(1)
			if fmt.Sprint(set.Values().Float32s()) != before {
				t.Errorf("%s: parameters changed", name)
			}
			for _, m := range moments {
				for _, v := range m.flat.Float32s() {
					if v != 0 {
						t.Fatalf("%s: %s has a %v", name, m.name, v)
					}
				}
			}
			if got := opt.State().Float32s()[2]; got != 0 {
				t.Errorf("%s: finite flag %v, want 0", name, got)
			}
		}
	}
}

// A parameter without elements is no end of those beside it.
func TestEmptyParameter(t *testing.T) {
	set := nn.NewSet()
	set.Scope().Param("a", nn.Ones, 3, 4)
	set.Scope().Param("z", nn.Ones, 0, 4)
	set.Scope().Param("b", nn.Ones, 4)
	set.Scope().Param("c", nn.Ones, 0)
	set.Build(tensor.CPU(), 1, nn.Training)
	set.Grads().Fill(1)
	NewSGD(set, SGDConfig{}).Step(0.5)
	for _, name := range []string{"a", "b"} {
		for i, v := range set.Lookup(name).Value.Float32s() {
			if v != 0.5 {
				t.Fatalf("%s[%d] is %g, want 0.5", name, i, v)
			}
		}
	}
}

func TestOptimizersNeedTraining(t *testing.T) {
	built := nn.NewSet()
	built.Scope().Param("w", nn.Ones, 2)
	built.Build(tensor.CPU(), 1, nn.Inference)
	for op, f := range map[string]func(set *nn.Set){
		"NewAdamW": func(set *nn.Set) { NewAdamW(set, AdamWConfig{}) },
		"NewAdam":  func(set *nn.Set) { NewAdam(set, AdamWConfig{}) },
		"NewSGD":   func(set *nn.Set) { NewSGD(set, SGDConfig{}) },
	} {
		for _, set := range []*nn.Set{built, nn.NewSet()} {
			func() {
				defer func() {
					if err, ok := recover().(*tensor.Error); !ok || err.Error() != "tensor: "+op+": the set was not built for training" {
						t.Errorf("%s: recovered %v", op, err)
					}
				}()
				f(set)
			}()
		}
	}
}

// Settings are taken as they are: zero is zero, not a default. What AdamW cannot compute with is refused.
func TestAdamWSettings(t *testing.T) {
	set := model(tensor.CPU())
	if got, want := DefaultAdamW(), (AdamWConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01}); !reflect.DeepEqual(got, want) {
		t.Errorf("the defaults are %+v, want %+v", got, want)
	}
	for reason, change := range map[string]func(c *AdamWConfig){
		"Eps is 0, want a number above 0: DefaultAdamW has 1e-8":        func(c *AdamWConfig) { c.Eps = 0 },
		"Eps is 1e-50, want a number above 0: DefaultAdamW has 1e-8":    func(c *AdamWConfig) { c.Eps = 1e-50 },
		"Eps is NaN, want a number above 0: DefaultAdamW has 1e-8":      func(c *AdamWConfig) { c.Eps = math.NaN() },
		"Beta1 and Beta2 are 0.9 and 1, want numbers from 0 to below 1": func(c *AdamWConfig) { c.Beta2 = 1 },
		"Decay and Clip are 0.01 and -1, want numbers of 0 and more":    func(c *AdamWConfig) { c.Clip = -1 },
	} {
		c := DefaultAdamW()
		change(&c)
		if got, want := errorOf(func() { NewAdamW(set, c) }), "tensor: NewAdamW: "+reason; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for want, f := range map[string]func(){
		"tensor: NewAdamW: Eps is 0, want a number above 0: DefaultAdamW has 1e-8": func() { NewAdamW(set, AdamWConfig{}) },
		"tensor: NewAdamW: the set is nil":                                         func() { NewAdamW(nil, DefaultAdamW()) },
		"tensor: NewAdam: Eps is 0, want a number above 0: DefaultAdam has 1e-8":   func() { NewAdam(set, AdamWConfig{}) },
		"tensor: NewAdam: the set is nil":                                          func() { NewAdam(nil, DefaultAdam()) },
		"tensor: NewSGD: the set is nil":                                           func() { NewSGD(nil, SGDConfig{}) },
		"tensor: NewSGD: Nesterov needs a Momentum above 0":                        func() { NewSGD(set, SGDConfig{Nesterov: true}) },
		"tensor: NewSGD: Momentum, Decay and Clip are -1, 0 and 0, want numbers of 0 and more": func() {
			NewSGD(set, SGDConfig{Momentum: -1})
		},
		"tensor: Step: the set is nil": func() { new(AdamW).Step(1) },
		"tensor: Save: the set is nil": func() { _ = new(Adam).Save("") },
		"tensor: Load: the set is nil": func() { _ = new(SGD).Load("") },
	} {
		if got := errorOf(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}

	// Without momentum and decay a step goes by the sign of the gradient alone.
	w := set.Lookup("a.weight")
	before := w.Value.Float32s()[0]
	w.Grad.Fill(2)
	NewAdamW(set, AdamWConfig{Eps: 1e-8}).Step(0.5)
	if got := w.Value.Float32s()[0]; math.Abs(float64(got-(before-0.5))) > 1e-6 {
		t.Errorf("%v became %v, want 0.5 less", before, got)
	}
}

// errorOf is the text of the *tensor.Error that f panics with.
func errorOf(f func()) (text string) {
	defer func() {
		if err, ok := recover().(*tensor.Error); ok {
			text = err.Error()
		}
	}()
	f()
	return "no panic"
}

func TestSGDGoesDownhill(t *testing.T) {
	dev := tensor.CPU()
	set := nn.NewSet()
	w := set.Scope().Param("w", nn.Const(4), 1)
	set.Build(dev, 1, nn.Training)
	opt := NewSGD(set, SGDConfig{Momentum: 0.5, Nesterov: true})
	x, buf := 4.0, 0.0
	for step := range 20 {
		g := 2 * x
		w.Grad.Fill(2 * w.Value.Item())
		opt.Step(0.1)
		if step == 0 {
			buf = g
		} else {
			buf = 0.5*buf + g
		}
		x -= 0.1 * (g + 0.5*buf)
		if got := float64(w.Value.Item()); math.Abs(got-x) > 1e-5 {
			t.Fatalf("step %d: %v, want %v", step, got, x)
		}
	}
	if math.Abs(x) > 0.01 {
		t.Errorf("ended at %v, want near 0", x)
	}
}

// A warm-up of two steps, then half a cosine.
func ExampleCosine() {
	schedule := Cosine{Peak: 1, Min: 0.5, Warmup: 2, Total: 6}
	for step := range 6 {
		fmt.Printf("%.3f ", schedule.At(step))
	}
	// Output: 0.000 1.000 1.000 0.927 0.750 0.573
}

// One step of AdamW on a single weight.
func ExampleAdamW() {
	set := nn.NewSet()
	w := set.Scope().Param("w", nn.Const(1), 1)
	set.Build(tensor.CPU(), 1, nn.Training)
	opt := NewAdamW(set, DefaultAdamW())
	w.Grad.Fill(3)
	opt.Step(0.25)
	fmt.Println(w.Value)
	// Output: [0.75]
}
