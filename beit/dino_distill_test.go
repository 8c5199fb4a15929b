package beit

import (
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

func distillConfig() DistillConfig {
	return DistillConfig{
		ViT:    DINOShape(ViTConfig{ImageSize: 16, PatchSize: 4, Channels: 3, Width: 16, Depth: 2, Heads: 2, MLPRatio: 2}),
		Hidden: 20, Bottleneck: 6, Outputs: 11, StudentTemp: 0.1, TeacherTemp: 0.04, StartTemp: 0.07, Momentum: 0.9, CenterDecay: 0.8,
	}
}

// numbers returns normally distributed random numbers.
func numbers(stream uint64, n int) []float32 {
	r := tensor.NewRand(9, stream)
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.Norm())
	}
	return out
}

// distill returns a built model whose student and teacher differ.
func distill(t *testing.T) (*nn.Set, *Distill) {
	t.Helper()
	c := distillConfig()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	set := nn.NewSet()
	m := NewDistill(set, c)
	set.Build(tensor.CPU(), 3, nn.Training)
	m.Begin(false)
	for i, p := range set.Params() {
		data := p.Value.Float32s()
		for j, v := range numbers(uint64(i), len(data)) {
			data[j] += 0.05 * v
		}
		p.Value.Upload(data)
	}
	return set, m
}

// softmax64 returns the softmax of a row divided by a temperature.
func softmax64(row []float32, center []float32, temp float64) []float64 {
	out, sum := make([]float64, len(row)), 0.0
	for i, v := range row {
		x := float64(v)
		if center != nil {
			x -= float64(center[i])
		}
		out[i] = math.Exp(x / temp)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// TestDistillLoss compares loss and gradient with the double loop over pairs of crops in algorithm 1 of the paper, in float64.
func TestDistillLoss(t *testing.T) {
	const b, k = 3, 7
	for _, views := range []int{2, 3, 6} {
		tape := autograd.NewTape(tensor.CPU())
		teacher, student := numbers(1, 2*b*k), numbers(2, views*b*k)
		p := tensor.Softmax(tensor.FromSlice(tensor.CPU(), teacher, 2*b, k))
		y := tape.Leaf(tensor.FromSlice(tensor.CPU(), student, views*b, k))
		loss := distillLoss(y, p)
		tape.Backward(loss)

		want, grad, pairs := 0.0, make([]float64, len(student)), 0
		for g := range 2 {
			for v := range views {
				if v == g {
					continue
				}
				pairs++
				for i := range b {
					target := softmax64(teacher[(g*b+i)*k:][:k], nil, 1)
					guess := softmax64(student[(v*b+i)*k:][:k], nil, 1)
					for j := range k {
						want -= target[j] * math.Log(guess[j]) / b
						grad[(v*b+i)*k+j] += (guess[j] - target[j]) / b
					}
				}
			}
		}
		if got := float64(loss.Value().Item()); math.Abs(got-want/float64(pairs)) > 1e-5 {
			t.Errorf("%d views: loss %g, want %g", views, got, want/float64(pairs))
		}
		for i, g := range y.Grad().Float32s() {
			if math.Abs(float64(g)-grad[i]/float64(pairs)) > 1e-6 {
				t.Fatalf("%d views: gradient %d is %g, want %g", views, i, g, grad[i]/float64(pairs))
			}
		}
		tape.Reset()
	}
}

// crops returns two large and three small crops of b images.
func crops(tape *autograd.Tape, b int) (large, small *autograd.Var) {
	dev := tape.Device()
	return tape.Own(tensor.FromSlice(dev, numbers(100, 2*b*3*16*16), 2*b, 3, 16, 16)), tape.Own(tensor.FromSlice(dev, numbers(101, 3*b*3*8*8), 3*b, 3, 8, 8))
}

// TestDistillGradient compares the slope of the loss along its gradient with finite differences. It checks that the teacher and a frozen
// last layer get no gradient.
func TestDistillGradient(t *testing.T) {
	set, m := distill(t)
	tape := autograd.NewTape(tensor.CPU())
	forward := func(freezeLast bool) DistillResult {
		large, small := crops(tape, 3)
		return m.Forward(nn.Context{Tape: tape, Train: true}, large, small, DistillStep{Temp: 0.05, FreezeLastLayer: freezeLast})
	}
	set.ZeroGrad()
	tape.Backward(forward(true).Loss)
	tape.Reset()
	for _, p := range set.Flat() {
		still := true
		for _, g := range p.Grad.Float32s() {
			still = still && g == 0
		}
		if frozen := p == m.StudentHead.Last; frozen != still {
			t.Errorf("%s: frozen %v, gradient 0 %v", p.Name, frozen, still)
		}
		if !strings.HasPrefix(p.Name, DistillStudent) {
			t.Errorf("%s is trained", p.Name)
		}
	}
	set.ZeroGrad()
	tape.Backward(forward(false).Loss)
	tape.Reset()
	start, grad := set.Values().Clone(), set.Grads()
	square := 0.0
	for _, g := range grad.Float32s() {
		square += float64(g) * float64(g)
	}
	at := func(way float64) float64 {
		tensor.CopyInto(set.Values(), start)
		tensor.AddScaled(set.Values(), grad, float32(way))
		defer tape.Reset()
		return float64(forward(false).Loss.Value().Item())
	}
	h := 2e-3 / math.Sqrt(square)
	if slope := (at(h) - at(-h)) / (2 * h); math.Abs(slope/square-1) > 0.01 {
		t.Errorf("slope %g along a gradient of squared norm %g", slope, square)
	}
}

// TestDistillUpdate compares the EMA of center and teacher, and the entropies, with their formulas in float64.
func TestDistillUpdate(t *testing.T) {
	set, m := distill(t)
	tape := autograd.NewTape(tensor.CPU())
	c, k := m.Config, m.Config.Outputs
	student, teacher := m.Student.Embed.W.Value.Float32s(), m.Teacher.Embed.W.Value.Float32s()
	center := m.Center.Value.Float32s()
	mean := make([]float64, k)
	for micro := range 2 { // two micro-batches of one step
		large, small := crops(tape, 3+micro)
		r := m.Forward(nn.Context{Tape: tape, Train: true}, large, small, DistillStep{Temp: 0.05})
		cosines, p := r.Cosines.Float32s(), r.Predictions.Float32s()
		rows := len(cosines) / k
		each, whole := 0.0, make([]float64, k)
		for i := range rows {
			want := softmax64(cosines[i*k:][:k], center, 0.05)
			for j := range k {
				if math.Abs(float64(p[i*k+j])-want[j]) > 1e-5 {
					t.Fatalf("prediction %d of %d is %g, want %g", j, i, p[i*k+j], want[j])
				}
				mean[j] += float64(cosines[i*k+j]) / float64(2*rows)
				each -= want[j] * math.Log(want[j]) / float64(rows)
				whole[j] += want[j] / float64(rows)
			}
		}
		ofMean := 0.0
		for _, v := range whole {
			ofMean -= v * math.Log(v)
		}
		a, b := r.Entropies()
		if math.Abs(float64(a.Item())-each) > 1e-5 || math.Abs(float64(b.Item())-ofMean) > 1e-5 {
			t.Errorf("entropies %g and %g, want %g and %g", a.Item(), b.Item(), each, ofMean)
		}
		m.Accumulate(r)
		tape.Reset()
	}
	m.Update(c.Momentum, tensor.Full(tensor.CPU(), 1, 1))
	for j, v := range m.Center.Value.Float32s() {
		if want := c.CenterDecay*float64(center[j]) + (1-c.CenterDecay)*mean[j]; math.Abs(float64(v)-want) > 1e-6 {
			t.Errorf("center %d: %g, want %g", j, v, want)
		}
	}
	moved := m.Teacher.Embed.W.Value.Float32s()
	for i, v := range moved {
		if want := c.Momentum*float64(teacher[i]) + (1-c.Momentum)*float64(student[i]); math.Abs(float64(v)-want) > 1e-6 {
			t.Fatalf("teacher %d: %g, want %g", i, v, want)
		}
	}
	// After a skipped step the teacher is the same.
	large, small := crops(tape, 2)
	m.Accumulate(m.Forward(nn.Context{Tape: tape}, large, small, DistillStep{Temp: 0.05}))
	m.Update(c.Momentum, tensor.Zeros(tensor.CPU(), 1))
	for i, v := range m.Teacher.Embed.W.Value.Float32s() {
		if v != moved[i] {
			t.Fatal("the teacher moved without a step")
		}
	}
	if n := len(m.Network()); n != len(set.Params())/2-len(m.headParams()) {
		t.Errorf("the network has %d tensors", n)
	}
	m.Release()
}

// headParams returns the parameters of the teacher's head.
func (m *Distill) headParams() []*nn.Param {
	h := m.TeacherHead
	return []*nn.Param{h.MLP[0].W, h.MLP[0].B, h.MLP[1].W, h.MLP[1].B, h.MLP[2].W, h.MLP[2].B, h.Last}
}

func TestDistillBegin(t *testing.T) {
	set, m := distill(t)
	m.Begin(true)
	same := func(a, b *nn.Param) bool { return a.Value.Float32s()[0] == b.Value.Float32s()[0] }
	if !same(m.Student.Pos, m.Teacher.Pos) || !same(m.StudentHead.Last, m.TeacherHead.Last) {
		t.Error("student and teacher differ")
	}
	if set.Lookup("student.pos_embed") != m.Student.Pos || set.Lookup("pos_embed") != m.Teacher.Pos || !m.Teacher.Pos.Buffer {
		t.Error("names of the positions")
	}
}

func TestDistillSchedules(t *testing.T) {
	c := distillConfig()
	for _, v := range [][2]float64{
		{c.Temperature(0, 10), 0.07}, {c.Temperature(5, 10), 0.055}, {c.Temperature(10, 10), 0.04}, {c.Temperature(0, 0), 0.04},
		{c.MomentumAt(0, 8), 0.9}, {c.MomentumAt(4, 8), 0.95}, {c.MomentumAt(8, 8), 1},
	} {
		if math.Abs(v[0]-v[1]) > 1e-12 {
			t.Errorf("%g, want %g", v[0], v[1])
		}
	}
}

func TestDistillCheck(t *testing.T) {
	for want, change := range map[string]func(c *DistillConfig){
		"heads = 3":   func(c *DistillConfig) { c.ViT.Heads = 3 },
		"abs_pos":     func(c *DistillConfig) { c.ViT.AbsPos = false },
		"hidden = 0":  func(c *DistillConfig) { c.Hidden = 0 },
		"outputs = 1": func(c *DistillConfig) { c.Outputs = 1 },
		"start_temp":  func(c *DistillConfig) { c.StartTemp = 0 },
		"momentum":    func(c *DistillConfig) { c.Momentum = 1 },
		"center_deca": func(c *DistillConfig) { c.CenterDecay = math.NaN() },
	} {
		c := distillConfig()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
