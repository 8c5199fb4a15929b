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

// DistillConfig is the configuration of DINO's self-distillation (arXiv 2104.14294). From any crop of an image, a student predicts the
// teacher's outputs for the large crops of that image. The teacher is an EMA of the student.
type DistillConfig struct {
	ViT        ViTConfig `toml:"vit"`
	Hidden     int       `toml:"hidden" help:"width inside the head"`
	Bottleneck int       `toml:"bottleneck" help:"width of the input of the last layer of the head, a unit vector"`
	Outputs    int       `toml:"outputs" help:"number K of outputs of the head"`

	StudentTemp float64 `toml:"student_temp" help:"temperature of the student's outputs"`
	TeacherTemp float64 `toml:"teacher_temp" help:"temperature of the teacher's outputs after the warm-up"`
	StartTemp   float64 `toml:"start_temp" help:"temperature of the teacher's outputs at the start"`
	Momentum    float64 `toml:"momentum" help:"EMA momentum of the teacher at the start; it rises to 1 by a cosine schedule"`
	CenterDecay float64 `toml:"center_decay" help:"EMA decay of the mean of the outputs of the teacher, which is subtracted from them"`
}

// Check returns an error that names the wrong keys, or nil.
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

// DistillHead is DINO's projection head: an MLP of three layers, L2 normalisation, and a linear layer with unit rows. It maps class
// tokens to K outputs.
type DistillHead struct {
	MLP  [3]*nn.Linear // "mlp.0", "mlp.2", "mlp.4"
	Last *nn.Param     // "last_layer.weight_v" [K, bottleneck]; rows are normalised before use
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
	h.Last.NoDecay = true // rows are normalised, so decay would only change their effective learning rate
	return h
}

// Forward maps class tokens [R, d] to cosine similarities [R, K], in float32. With freezeLast the last layer gets no gradient.
func (h *DistillHead) Forward(c nn.Context, x *autograd.Var, freezeLast bool) *autograd.Var {
	return c.Exact(func() *autograd.Var {
		x = h.MLP[0].Forward(c, x, autograd.LinearOptions{GELU: true})
		x = h.MLP[1].Forward(c, x, autograd.LinearOptions{GELU: true})
		x = autograd.L2Normalize(h.MLP[2].Forward(c, x, autograd.LinearOptions{}))
		last := h.Last.Var(c.Tape)
		if freezeLast {
			last = c.Tape.Constant(h.Last.Value)
		}
		return autograd.Linear(x, autograd.L2Normalize(last), nil, autograd.LinearOptions{})
	})
}

// Distill is a student and its teacher. The teacher's parameters are buffers under DINO's own names, "head." and "center". Those of the
// student have the prefix "student.".
type Distill struct {
	Config                   DistillConfig
	Student, Teacher         *DINO
	StudentHead, TeacherHead *DistillHead
	Center                   *nn.Param // "center" [K]

	set   *nn.Set
	sum   *tensor.Tensor // [K], sum over micro-batches of the mean of the teacher's outputs since the last Update
	terms int            // number of micro-batches in sum
}

// Prefixes of the names of parameters that are not part of the teacher's backbone.
const (
	DistillStudent = "student."
	DistillHeads   = "head."
	DistillCenter  = "center"
)

// NewDistill declares both networks in an empty set. The config must pass Check. Call Begin after the set is built.
func NewDistill(set *nn.Set, c DistillConfig) *Distill {
	s := set.Scope()
	return &Distill{
		Config: c, set: set,
		Student: NewDINO(s.Sub("student"), c.ViT), StudentHead: newDistillHead(s.Sub("student").Sub("head"), c),
		Teacher: NewDINO(s.Frozen(), c.ViT), TeacherHead: newDistillHead(s.Frozen().Sub("head"), c),
		Center: s.Buffer(DistillCenter, nn.Zeros, c.Outputs),
	}
}

// Network returns the parameters of the teacher without its head. This is the network that training is for, as in a published file.
func (m *Distill) Network() []*nn.Param {
	var list []*nn.Param
	for _, p := range m.set.Params() {
		if p.Name != DistillCenter && !strings.HasPrefix(p.Name, DistillStudent) && !strings.HasPrefix(p.Name, DistillHeads) {
			list = append(list, p)
		}
	}
	return list
}

// pairs calls do with each parameter of the student and the corresponding one of the teacher.
func (m *Distill) pairs(do func(student, teacher *nn.Param)) {
	for _, p := range m.set.Params() {
		if name, ok := strings.CutPrefix(p.Name, DistillStudent); ok {
			do(p, m.set.Lookup(name))
		}
	}
}

// Begin makes teacher and student equal before the first step. It copies the student to the teacher. If the teacher's backbone was
// loaded, it copies that backbone to the student, and the student's head to the teacher.
func (m *Distill) Begin(loaded bool) {
	m.pairs(func(student, teacher *nn.Param) {
		if loaded && !strings.HasPrefix(teacher.Name, DistillHeads) {
			tensor.CopyInto(student.Value, teacher.Value)
		} else {
			tensor.CopyInto(teacher.Value, student.Value)
		}
	})
}

// DistillResult is the result of a forward pass. Its values may be read until the tape's Reset.
type DistillResult struct {
	Loss        *autograd.Var  // one element
	Cosines     *tensor.Tensor // the teacher's outputs [2B, K]
	Logits      *tensor.Tensor // (cosines − center)/temperature [2B, K]
	Predictions *tensor.Tensor // softmax of Logits [2B, K]
}

// DistillStep has the settings that change with the step.
type DistillStep struct {
	Temp            float64 // temperature of the teacher, see Temperature
	FreezeLastLayer bool    // the last layer of the head gets no gradient
}

// Temperature returns the teacher's temperature at step t of a linear warm-up over warm steps, and TeacherTemp after it.
func (c DistillConfig) Temperature(t, warm int) float64 {
	if t >= warm {
		return c.TeacherTemp
	}
	return c.StartTemp + (c.TeacherTemp-c.StartTemp)*float64(t)/float64(warm)
}

// MomentumAt returns the EMA momentum of the teacher at step t of total.
func (c DistillConfig) MomentumAt(t, total int) float64 {
	return 1 - (1-c.Momentum)*0.5*(1+math.Cos(math.Pi*float64(t)/float64(total)))
}

// Forward runs the student on all crops and the teacher on the large ones, and returns the loss. large is [2·B, 3, S, S]: the first large
// crop of every image, then the second ones. small is [V·B, 3, s, s] or nil.
// The loss is the cross-entropy between the teacher's output on a large crop and the student's on another crop of the same image. It is
// averaged over images and such pairs of crops.
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
		apart.Micro = ^c.Micro // another drop path mask for the small crops
		x = autograd.Concat(0, x, m.Student.ClassToken(apart, small))
	}
	y := autograd.Affine(m.StudentHead.Forward(c, x, at.FreezeLastLayer), float32(1/m.Config.StudentTemp), 0)
	r.Loss = distillLoss(y, r.Predictions).Keep()
	return r
}

// distillLoss returns the mean cross-entropy over images and pairs of crops. y [V·B, K] has the student's logits, p [2B, K] the teacher's
// predictions. A small crop is in two pairs; one row with the sum of both targets replaces them.
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

// Accumulate adds the teacher's outputs of a micro-batch to those that the next Update uses.
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

// Stats returns the sums that Accumulate made since the last Update, or nil. Distributed training averages them over all processes.
func (m *Distill) Stats() []*tensor.Tensor {
	if m.sum == nil {
		return nil
	}
	return []*tensor.Tensor{m.sum}
}

// Update moves the center towards the mean of the accumulated outputs, and the teacher towards the student, both by EMA. finite has one
// element: 1, or 0 if the optimiser skipped the step; then the teacher stays the same.
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

// Release frees the tensors that Accumulate made.
func (m *Distill) Release() {
	if m.sum != nil {
		m.sum.Release()
		m.sum = nil
	}
}

// Entropies returns the mean entropy of the teacher's predictions and the entropy of their mean, one element each, in nats. The caller
// releases both. On collapse, both fall to 0 or both rise to log K.
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
