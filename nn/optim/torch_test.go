package optim

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// torchValues is testdata/torch.json: float64 values of PyTorch, which testdata/make.py wrote.
type torchValues struct {
	Optimizers map[string][]torchStep
	Schedules  map[string][]float64
}

// torchStep is the gradient norm before a step and the weights after it.
type torchStep struct {
	Norm         float64
	Weight, Bias []float64
}

func readTorch(t *testing.T) torchValues {
	t.Helper()
	text, err := os.ReadFile("testdata/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	var v torchValues
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// two declares the weight and the bias of make.py. Only the weight decays.
func two(dev *tensor.Device) *nn.Set {
	set := nn.NewSet()
	set.Scope().Param("weight", nn.Zeros, 2, 2)
	set.Scope().Param("bias", nn.Zeros, 3)
	set.Build(dev, 1, nn.Training)
	set.Lookup("weight").Value.Upload([]float32{0.5, -1, 0.25, 2})
	set.Lookup("bias").Value.Upload([]float32{0, 1, -0.5})
	return set
}

// giveGradients sets the gradients of make.py.
func giveGradients(set *nn.Set, step int) {
	for _, p := range set.Params() {
		g := make([]float32, p.Shape.Size())
		for i := range g {
			g[i] = float32(math.Cos(1.3*float64(step)+float64(i)) * float64(1+i))
		}
		p.Grad.Upload(g)
	}
}

// optimizers are those of make.py.
var optimizers = map[string]func(set *nn.Set) Optimizer{
	"adam": func(set *nn.Set) Optimizer { return NewAdam(set, AdamWConfig{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8}) },
	"adam_l2_clip": func(set *nn.Set) Optimizer {
		return NewAdam(set, AdamWConfig{Beta1: 0.8, Beta2: 0.95, Eps: 1e-6, Decay: 0.1, Clip: 2.5})
	},
	"adamw_clip": func(set *nn.Set) Optimizer {
		return NewAdamW(set, AdamWConfig{Beta1: 0.8, Beta2: 0.95, Eps: 1e-6, Decay: 0.1, Clip: 2.5})
	},
	"sgd":               func(set *nn.Set) Optimizer { return NewSGD(set, SGDConfig{Decay: 0.1}) },
	"sgd_momentum_clip": func(set *nn.Set) Optimizer { return NewSGD(set, SGDConfig{Momentum: 0.9, Decay: 0.1, Clip: 2.5}) },
	"sgd_nesterov": func(set *nn.Set) Optimizer {
		return NewSGD(set, SGDConfig{Momentum: 0.9, Decay: 0.1, Nesterov: true})
	},
}

// rate is the learning rate of make.py.
func rate(step int) float64 { return 0.1 / float64(1+step) }

func TestOptimizersFollowPyTorch(t *testing.T) {
	values := readTorch(t).Optimizers
	if len(values) != len(optimizers) {
		t.Errorf("%d optimizers have values, %d are known", len(values), len(optimizers))
	}
	for name, want := range values {
		t.Run(name, func(t *testing.T) {
			set := two(tensor.CPU())
			opt := optimizers[name](set)
			for step, w := range want {
				giveGradients(set, step)
				opt.Step(rate(step))
				if got := float64(opt.State().Float32s()[0]); math.Abs(got-w.Norm) > 1e-6*w.Norm {
					t.Errorf("step %d: gradient norm %v, want %v", step, got, w.Norm)
				}
				for name, want := range map[string][]float64{"weight": w.Weight, "bias": w.Bias} {
					for i, got := range set.Lookup(name).Value.Float32s() {
						if math.Abs(float64(got)-want[i]) > 1e-6 {
							t.Errorf("step %d: %s[%d] is %v, want %v", step, name, i, got, want[i])
						}
					}
				}
			}
		})
	}
}

// A run that is saved and resumed ends at the same bytes.
func TestOptimizersResume(t *testing.T) {
	for name, make := range optimizers {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			set := two(tensor.CPU())
			opt := make(set)
			train := func(set *nn.Set, opt Optimizer, from, to int) {
				for step := from; step < to; step++ {
					giveGradients(set, step)
					opt.Step(rate(step))
				}
			}
			train(set, opt, 0, 3)
			for what, err := range map[string]error{"parameters": set.Save(dir + "/model"), "optimizer": opt.Save(dir + "/optimizer")} {
				if err != nil {
					t.Fatal(what, err)
				}
			}
			train(set, opt, 3, 6)

			again := two(tensor.CPU())
			resumed := make(again)
			for what, err := range map[string]error{"parameters": again.Load(dir + "/model"), "optimizer": resumed.Load(dir + "/optimizer")} {
				if err != nil {
					t.Fatal(what, err)
				}
			}
			train(again, resumed, 3, 6)
			for i, want := range set.Values().Float32s() {
				if got := again.Values().Float32s()[i]; got != want {
					t.Errorf("value %d is %v after resuming, %v without", i, got, want)
				}
			}
		})
	}
}

func TestSchedulesFollowPyTorch(t *testing.T) {
	schedules := map[string]Schedule{
		"StepLR":            StepDecay{Peak: 0.5, Factor: 0.5, Every: 3},
		"MultiStepLR":       Milestones{Peak: 0.5, Factor: 0.1, Steps: []int{2, 7}},
		"PolynomialLR":      Polynomial{Peak: 0.5, Power: 1.5, Total: 8},
		"LinearLR":          Linear{From: 0.5 * 0.25, To: 0.5 * 0.75, Total: 8},
		"CosineAnnealingLR": Cosine{Peak: 0.5, Min: 0.1, Total: 11},
	}
	values := readTorch(t).Schedules
	if len(values) != len(schedules) {
		t.Errorf("%d schedules have values, %d are known", len(values), len(schedules))
	}
	for name, want := range values {
		for step, w := range want {
			if got := schedules[name].At(step); math.Abs(got-w) > 1e-12 {
				t.Errorf("%s at step %d: %v, want %v", name, step, got, w)
			}
		}
	}
}
