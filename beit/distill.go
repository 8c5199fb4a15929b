package beit

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// DistillConfig describes self-distillation after DINO (arXiv 2104.14294): a student predicts, from any crop of a picture, what a
// teacher says of its large crops; the teacher is the average of the students before.
type DistillConfig struct {
	ViT        ViTConfig `toml:"vit"`
	Hidden     int       `toml:"hidden"`     // width inside the head
	Bottleneck int       `toml:"bottleneck"` // width of the unit vectors that the head ends in
	Outputs    int       `toml:"outputs"`    // K: directions that these are compared with

	StudentTemp float64 `toml:"student_temp"` // the student's outputs are divided by it
	TeacherTemp float64 `toml:"teacher_temp"` // the teacher's, after the warm-up
	StartTemp   float64 `toml:"start_temp"`   // the teacher's in the beginning
	Momentum    float64 `toml:"momentum"`     // of the teacher in the beginning; it rises to 1 along half a cosine
	CenterDecay float64 `toml:"center_decay"` // of the mean that is taken from the teacher's outputs
}

// Check says what is wrong with the config, naming the keys.
func (c DistillConfig) Check() error {
	errs := []error{c.ViT.Check()}
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.ViT != DINOShape(c.ViT), "vit: DINO has abs_pos and qkv_bias, and neither rel_pos, layer_scale, mean_pool, classes nor init_scale")
	bad(c.Hidden < 1 || c.Bottleneck < 1, "hidden = %d, bottleneck = %d: must be at least 1", c.Hidden, c.Bottleneck)
	bad(c.Outputs < 2, "outputs = %d: must be at least 2", c.Outputs)
	for _, t := range []struct {
		key   string
		value float64
	}{{"student_temp", c.StudentTemp}, {"teacher_temp", c.TeacherTemp}, {"start_temp", c.StartTemp}} {
		bad(!(t.value > 0 && t.value <= 100), "%s = %g: must be above 0 and at most 100", t.key, t.value)
	}
	bad(!(c.Momentum >= 0 && c.Momentum < 1), "momentum = %g: must be in [0, 1)", c.Momentum)
	bad(!(c.CenterDecay >= 0 && c.CenterDecay < 1), "center_decay = %g: must be in [0, 1)", c.CenterDecay)
	return errors.Join(errs...)
}

// DistillHead maps class tokens to outputs: three layers, a unit vector, its products with K unit vectors.
type DistillHead struct {
	MLP  [3]*nn.Linear // "mlp.0", "mlp.2", "mlp.4"
	Last *nn.Param     // "last_layer.weight_v" [K, bottleneck]; only the rows' directions matter
}

// newDistillHead declares the head under the names of the authors' code (facebookresearch/dino, vision_transformer.py).
func newDistillHead(s nn.Scope, c DistillConfig) *DistillHead {
	mlp := s.Sub("mlp")
	h := &DistillHead{
		MLP: [3]*nn.Linear{
			nn.NewLinear(mlp.Index(0), c.ViT.Width, c.Hidden, wideNormal), nn.NewLinear(mlp.Index(2), c.Hidden, c.Hidden, wideNormal),
			nn.NewLinear(mlp.Index(4), c.Hidden, c.Bottleneck, wideNormal),
		},
		Last: s.Sub("last_layer").Param("weight_v", nn.UnitRows(c.Bottleneck), c.Outputs, c.Bottleneck),
	}
	h.Last.NoDecay = true // decay would change nothing but how fast directions turn
	return h
}

// Forward maps class tokens [R, d] to cosines [R, K], with exact products. The last layer learns nothing when it is held.
func (h *DistillHead) Forward(c nn.Context, x *autograd.Var, held bool) *autograd.Var {
	return c.Exact(func() *autograd.Var {
		x = h.MLP[0].Forward(c, x, autograd.LinearOptions{GELU: true})
		x = h.MLP[1].Forward(c, x, autograd.LinearOptions{GELU: true})
		x = autograd.L2Normalize(h.MLP[2].Forward(c, x, autograd.LinearOptions{}))
		last := h.Last.Var(c.Tape)
		if held {
			last = c.Tape.Constant(h.Last.Value)
		}
		return autograd.Linear(x, autograd.L2Normalize(last), nil, autograd.LinearOptions{})
	})
}

// Distill is a student with its teacher. The teacher's parameters are buffers under DINO's own names, "head." and "center", the
// student's stand under "student.".
type Distill struct {
	Config                   DistillConfig
	Student, Teacher         *DINO
	StudentHead, TeacherHead *DistillHead
	Center                   *nn.Param // "center" [K]

	set   *nn.Set
	sum   *tensor.Tensor // [K] of the means of the teacher's outputs since the last update
	terms int            // how many
}

// Beginnings of the names of what is no part of the network that teaches.
const (
	DistillStudent = "student."
	DistillHeads   = "head."
	DistillCenter  = "center"
)

// NewDistill declares both networks in an empty set. The config must pass Check. Call Begin once the set is built.
func NewDistill(set *nn.Set, c DistillConfig) *Distill {
	s := set.Scope()
	return &Distill{
		Config: c, set: set,
		Student: NewDINO(s.Sub("student"), c.ViT), StudentHead: newDistillHead(s.Sub("student").Sub("head"), c),
		Teacher: NewDINO(s.Frozen(), c.ViT), TeacherHead: newDistillHead(s.Frozen().Sub("head"), c),
		Center: s.Buffer(DistillCenter, nn.Zeros, c.Outputs),
	}
}

// Network lists the teacher's parameters without its head: the network that training is for, as a published file has it.
func (m *Distill) Network() []*nn.Param {
	var list []*nn.Param
	for _, p := range m.set.Params() {
		if p.Name != DistillCenter && !strings.HasPrefix(p.Name, DistillStudent) && !strings.HasPrefix(p.Name, DistillHeads) {
			list = append(list, p)
		}
	}
	return list
}

// pairs calls do with each of the student's parameters and the teacher's that follows it.
func (m *Distill) pairs(do func(student, teacher *nn.Param)) {
	for _, p := range m.set.Params() {
		if name, ok := strings.CutPrefix(p.Name, DistillStudent); ok {
			do(p, m.set.Lookup(name))
		}
	}
}

// Begin makes teacher and student equal before the first step: by the student's initial values, or, when the network has been loaded,
// by the network, with the student's head.
func (m *Distill) Begin(loaded bool) {
	m.pairs(func(student, teacher *nn.Param) {
		if loaded && !strings.HasPrefix(teacher.Name, DistillHeads) {
			tensor.CopyInto(student.Value, teacher.Value)
		} else {
			tensor.CopyInto(teacher.Value, student.Value)
		}
	})
}

// DistillResult is what a forward pass yields. Loss may be read until the tape's Reset, and so may the others.
type DistillResult struct {
	Loss        *autograd.Var  // one element
	Cosines     *tensor.Tensor // the teacher's outputs [2B, K]
	Logits      *tensor.Tensor // (cosines − center)/temperature [2B, K]
	Predictions *tensor.Tensor // softmax of Logits [2B, K]
}

// DistillStep says where in a run a forward pass is.
type DistillStep struct {
	Temp float64 // the teacher's, see Temperature
	Held bool    // the head's last layer learns nothing
}

// Temperature is the teacher's at update t, when the warm-up takes warm updates.
func (c DistillConfig) Temperature(t, warm int) float64 {
	if t >= warm {
		return c.TeacherTemp
	}
	return c.StartTemp + (c.TeacherTemp-c.StartTemp)*float64(t)/float64(warm)
}

// MomentumAt is the teacher's at update t of total.
func (c DistillConfig) MomentumAt(t, total int) float64 {
	return 1 - (1-c.Momentum)*0.5*(1+math.Cos(math.Pi*float64(t)/float64(total)))
}

// Forward compares the student on every crop with the teacher on the large ones. large is [2·B, 3, S, S], the first crops of all
// pictures and then the second ones; small, [V·B, 3, s, s], may be nil. The loss is the mean over pictures, and over the pairs of a
// large crop and another crop of the same picture, of the cross-entropy of the student's output on the latter with the teacher's on
// the former.
func (m *Distill) Forward(c nn.Context, large, small *autograd.Var, at DistillStep) DistillResult {
	var r DistillResult
	r.Cosines = frozen(c, func(c nn.Context) *autograd.Var {
		return m.TeacherHead.Forward(c, m.Teacher.ClassToken(c, large), false)
	}).Value()
	own := func(t *tensor.Tensor) *tensor.Tensor { return c.Tape.Own(t).Value() }
	centred := own(tensor.Sub(r.Cosines, m.Center.Value))
	r.Logits = own(tensor.Affine(centred, float32(1/at.Temp), 0))
	r.Predictions = own(tensor.Softmax(r.Logits))

	x := m.Student.ClassToken(c, large)
	if small != nil {
		apart := c
		apart.Micro = ^c.Micro // stochastic depth draws anew for the small crops
		x = autograd.Concat(0, x, m.Student.ClassToken(apart, small))
	}
	y := autograd.Affine(m.StudentHead.Forward(c, x, at.Held), float32(1/m.Config.StudentTemp), 0)
	r.Loss = distillLoss(y, r.Predictions).Keep()
	return r
}

// distillLoss is the mean over pictures and pairs of crops of the cross-entropy of the student's logits y [V·B, K] with the teacher's
// predictions p [2B, K]. A small crop is in two pairs, which one row with the sum of both targets stands for.
func distillLoss(y *autograd.Var, p *tensor.Tensor) *autograd.Var {
	tape, b, k := y.Tape(), p.Dim(0)/2, p.Dim(1)
	own := func(t *tensor.Tensor) *tensor.Tensor { return tape.Own(t).Value() }
	first, second := p.Slice(0, 0, b), p.Slice(0, b, 2*b)
	views := y.Shape()[0] / b
	sum := autograd.SoftCrossEntropy(autograd.Slice(y, 0, 0, 2*b), own(tensor.Concat(0, second, first))) // a mean over two pairs
	sum = autograd.Affine(sum, 2, 0)
	if views > 2 {
		both := own(tensor.Add(first, second)).Reshape(1, b, k)
		targets := own(both.Expand(views-2, b, k).Clone()).Reshape(-1, k)
		onSmall := autograd.SoftCrossEntropy(autograd.Slice(y, 0, 2*b, views*b), targets) // a mean over crops of sums of two pairs
		sum = autograd.Add(sum, autograd.Affine(onSmall, float32(views-2), 0))
	}
	return autograd.Affine(sum, 1/float32(2*(views-1)), 0)
}

// Accumulate notes the teacher's outputs for the next Update.
func (m *Distill) Accumulate(r DistillResult) {
	mean := tensor.Reduce(tensor.ReduceMean, r.Cosines, 0)
	m.terms++
	if m.sum == nil {
		m.sum = mean
		return
	}
	tensor.AddScaled(m.sum, mean, 1)
	mean.Release()
}

// Update moves the center towards the mean of the noted outputs, and the teacher by 1 − momentum of the way to the student. finite, of
// one element, is 1, or 0 when the student's step was not taken: then the teacher stays too.
func (m *Distill) Update(momentum float64, finite *tensor.Tensor) {
	way := tensor.Affine(m.sum, 1/float32(m.terms), 0)
	m.sum.Release()
	m.sum, m.terms = nil, 0
	tensor.BinaryInto(way, tensor.BinarySub, way, m.Center.Value)
	tensor.AddScaled(m.Center.Value, way, float32(1-m.Config.CenterDecay))
	way.Release()
	m.pairs(func(student, teacher *nn.Param) {
		way := tensor.Sub(student.Value, teacher.Value)
		tensor.BinaryInto(way, tensor.BinaryMul, way, finite)
		tensor.AddScaled(teacher.Value, way, float32(1-momentum))
		way.Release()
	})
}

// Release gives back what stands between Accumulate and Update.
func (m *Distill) Release() {
	if m.sum != nil {
		m.sum.Release()
		m.sum = nil
	}
}

// Entropies are the mean entropy of the teacher's predictions and the entropy of their mean, one element each, in nat; the caller
// releases them. Where outputs collapse, either both fall to 0 or both rise to log K.
func (r DistillResult) Entropies() (each, ofMean *tensor.Tensor) {
	entropy := func(logits, p *tensor.Tensor) *tensor.Tensor {
		e := tensor.CrossEntropy(tensor.CrossEntropyArgs{Logits: logits, Soft: p})
		e.LSE.Release()
		return e.Loss
	}
	mean := tensor.Reduce(tensor.ReduceMean, r.Predictions, 0)
	defer mean.Release()
	row := mean.Reshape(1, -1)
	shifted := tensor.Affine(row, 1, 1e-12) // so that the logarithm of 0 is finite
	defer shifted.Release()
	logs := tensor.Unary(tensor.UnaryLog, shifted)
	defer logs.Release()
	return entropy(r.Logits, r.Predictions), entropy(logs, row)
}
