package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/data/masks"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// tinyTask is a task in an environment without the training loop.
func tinyTask(t *testing.T, set ...string) *task {
	t.Helper()
	return traintest.Task(t, traintest.Env(t, Method, traintest.Tiny(t, Method, set...), nil)).(*task)
}

// first gives use the first batch of the task's images.
func first(t *testing.T, task *task, use func(b *data.Batch)) {
	t.Helper()
	for b, err := range task.Loader.Batches(context.Background(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		use(b)
		break
	}
	task.Tape.Reset()
}

// The loss is that of float64 arithmetic on the logits, in both conventions, without weights and with.
func TestLossAgainstFloat64(t *testing.T) {
	const b, k, h, w = 2, 3, 4, 5
	r := tensor.NewRand(1)
	logits, classes := make([]float32, b*k*h*w), make([]int32, b*h*w)
	for i := range logits {
		logits[i] = float32(2 * r.Norm())
	}
	for i := range classes {
		if classes[i] = int32(r.IntN(k)); r.Float64() < 0.3 {
			classes[i] = data.NoClass
		}
	}
	for _, valid := range []bool{false, true} {
		for _, weights := range [][]float32{nil, {0.5, 2, 0}} {
			want, labelled := 0.0, 0
			for i, class := range classes {
				if class == data.NoClass {
					continue
				}
				labelled++
				at := func(k0 int) float64 { return float64(logits[(i/(h*w)*k+k0)*h*w+i%(h*w)]) }
				sum := 0.0
				for c := range k {
					sum += math.Exp(at(c))
				}
				one := math.Log(sum) - at(int(class))
				if weights != nil {
					one *= float64(weights[class])
				}
				want += one
			}
			if valid {
				want /= float64(labelled)
			} else {
				want /= float64(len(classes))
			}
			tape := autograd.NewTape(tensor.CPU())
			target := pixelLoss{valid: valid, weights: weights}.target(nn.Context{Tape: tape}, classes, []int{b, h, w})
			got := target.loss(tape.Own(tensor.FromSlice(tensor.CPU(), logits, b, k, h, w))).Value().Item()
			if math.Abs(float64(got)-want) > 1e-5 {
				t.Errorf("valid %v, weights %v: %g, want %g", valid, weights, got, want)
			}
			tape.Reset()
		}
	}
}

// TestGradient compares the gradient of the whole loss with central differences, along the gradient.
func TestGradient(t *testing.T) {
	for _, set := range [][]string{{}, {"segment.model.head=linear"}, {"segment.class_weights=1,2,0.5,1,1,3", "segment.loss_mean=valid"}} {
		task := tinyTask(t, append(set, "segment.model.vit.drop_path=0", "segment.model.dropout=0")...)
		first(t, task, func(b *data.Batch) {
			loss := func() float64 {
				l, _ := task.Forward(task.Context(), b)
				return float64(l.Value().Item())
			}
			task.set.ZeroGrad()
			l, _ := task.Forward(task.Context(), b)
			task.Tape.Backward(l)
			grad := task.set.Grads().Float32s()
			norm := 0.0
			for _, g := range grad {
				norm += float64(g) * float64(g)
			}
			norm = math.Sqrt(norm)
			start := task.set.Values().Float32s()
			along := func(step float64) float64 {
				moved := slices.Clone(start)
				for i, g := range grad {
					moved[i] += float32(step * float64(g) / norm)
				}
				task.set.Values().Upload(moved)
				defer task.set.Values().Upload(start)
				return loss()
			}
			const step = 2e-3
			if got := (along(step) - along(-step)) / (2 * step); math.Abs(got-norm) > 0.01*norm {
				t.Errorf("%v: along the gradient the loss rises by %g, the norm of the gradient is %g", set, got, norm)
			}
		})
	}
}

// A forward pass changes no running statistics; Observe and Update do, and Undo takes that back.
func TestRunningStatisticsFollowTheStep(t *testing.T) {
	task := tinyTask(t)
	mean := task.set.Lookup("decode_head.fpn_bottleneck.bn.running_mean").Value
	before := mean.Float32s()
	first(t, task, func(b *data.Batch) {
		task.Forward(task.Context(), b)
		if !slices.Equal(mean.Float32s(), before) {
			t.Error("a forward pass changed running statistics")
		}
		task.Observe()
		if !slices.Equal(mean.Float32s(), before) {
			t.Error("Observe changed running statistics")
		}
		task.Update(0, nil)
		if slices.Equal(mean.Float32s(), before) {
			t.Error("Update changed nothing")
		}
		task.Undo()
		if !slices.Equal(mean.Float32s(), before) {
			t.Error("Undo left a change")
		}
	})
}

func TestLayerDecayGroups(t *testing.T) {
	task := tinyTask(t, "segment.layer_decay=0.5")
	got := map[string]float64{}
	for _, p := range task.Set().Params() {
		got[p.Name] = task.LRScale(p)
	}
	for name, want := range map[string]float64{ // of depth 2: 0.5^(3-id)
		"backbone.cls_token": 0.125, "backbone.patch_embed.proj.weight": 0.125, "backbone.blocks.0.attn.qkv.weight": 0.25,
		"backbone.blocks.1.mlp.fc1.bias": 0.5, "backbone.fpn1.0.weight": 1, "decode_head.conv_seg.bias": 1, "auxiliary_head.convs.0.conv.weight": 1,
	} {
		if got[name] != want {
			t.Errorf("%s has the factor %g, want %g", name, got[name], want)
		}
	}
}

// A score counts as the best once its model is in the file.
func TestBestThatCannotBeWritten(t *testing.T) {
	task := tinyTask(t)
	full, written := true, ""
	task.SaveModel = func(file string) error {
		if full {
			return syscall.ENOSPC
		}
		written = file
		return nil
	}
	task.state.Best = -1
	if _, err := task.Validate(context.Background()); !errors.Is(err, syscall.ENOSPC) || task.state.Best != -1 {
		t.Errorf("error %v, best mIoU %g", err, task.state.Best)
	}
	full = false
	if v, err := task.Validate(context.Background()); err != nil || task.state.Best < 0 || v[keyBest] != task.state.Best {
		t.Errorf("error %v, best mIoU %g, %v", err, task.state.Best, v)
	}
	if written != run.BestFile {
		t.Errorf("wrote %q", written)
	}
}

// Classes that the images have twice as much of have half the weight, as long as images are few; those without pixels have none.
func TestEffectiveWeights(t *testing.T) {
	got := effectiveWeights([]float64{0.02, 0.01, 0, 400})
	if math.Abs(float64(got[1]/got[0])-2) > 0.01 || got[2] != 0 || got[3] >= got[0]/30 {
		t.Errorf("weights %v", got)
	}
	sum := float32(0)
	for _, w := range got {
		sum += w
	}
	if math.Abs(float64(sum)-3) > 1e-5 {
		t.Errorf("weights %v have a mean of %g", got, sum/3)
	}
	task := tinyTask(t, "segment.class_weights=effective")
	if err := task.Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	if w := task.loss.weights; len(w) != 6 || w[0] != slices.Min(w) { // most pixels are ground
		t.Errorf("weights %v", w)
	}
}

// Numbers of weights must be those of the classes.
func TestClassWeightsThatDoNotFit(t *testing.T) {
	e := traintest.Env(t, Method, traintest.Tiny(t, Method, "segment.class_weights=1,2"), nil)
	if _, err := newTask(e); err == nil || !strings.Contains(err.Error(), "2 numbers for 6 classes") {
		t.Errorf("error %v", err)
	}
}

// plain is a dataset without masks.
type plain struct{ data.Dataset }

func (p plain) Sample(i int) (data.Sample, error) {
	s, err := p.Dataset.Sample(i)
	s.Mask = nil
	return s, err
}

// Images without masks are refused before anything is built.
func TestNoMasks(t *testing.T) {
	e := traintest.Env(t, Method, traintest.Tiny(t, Method), nil)
	e.Train = plain{e.Train}
	if _, err := newTask(e); err == nil || !strings.Contains(err.Error(), "segmentation needs masks") {
		t.Errorf("error %v", err)
	}
}

// An image of 5:1 and one smaller than a window get a class for every pixel, at their own size, also at several scales and mirrored.
func TestAnyAspect(t *testing.T) {
	task := tinyTask(t)
	for _, size := range [][2]int{{150, 30}, {7, 64}, {5, 3}, {1, 90}} {
		m := data.NewRGB(size[0], size[1])
		for i := range m.Pix {
			m.Pix[i] = uint8(i * 37)
		}
		for _, v := range []View{viewOf(task.Config), {Norm: data.ImageNet, Mode: ModeSlide, Stride: 20, Scales: []float64{0.5, 1.5}, Flip: true}, {Norm: data.ImageNet, Mode: ModeWhole, Stride: 32}} {
			c := task.EvalContext()
			all, err := v.Probabilities(c, task.model, m)
			if err != nil {
				t.Fatal(err)
			}
			p, err := v.Segment(c, task.model, m)
			if err != nil || p.W != m.W || p.H != m.H || len(p.Class) != m.W*m.H {
				t.Fatalf("%v: %+v, error %v", size, p, err)
			}
			if ways, err := v.strips(c, task.model, m, 1, func(first int, part []float32) error {
				if len(part) != 6*m.W || len(v.Scales) > 0 {
					return nil
				}
				for i, x := range part {
					if math.Abs(float64(x-all[6*first+i])) > 1e-5 {
						return fmt.Errorf("pixel %d of row %d: %v, want %v", i/6, first/m.W, x, all[6*first+i])
					}
				}
				return nil
			}); err != nil || ways != max(2*len(v.Scales), 1) {
				t.Fatalf("%v: %d ways, by rows: %v", size, ways, err)
			}
			for row := range slices.Chunk(all, 6) {
				sum := float32(0)
				for _, x := range row {
					sum += x
				}
				if math.Abs(float64(sum)-1) > 1e-4 {
					t.Fatalf("%v, %+v: probabilities %v", size, v, row)
				}
			}
		}
	}
}

// Mirrored views average to something that mirrors with the image.
func TestFlipIsSymmetric(t *testing.T) {
	task := tinyTask(t)
	v := viewOf(task.Config)
	v.Flip = true
	m, mirrored := data.NewRGB(40, 32), data.NewRGB(40, 32)
	r := tensor.NewRand(2)
	for y := range m.H {
		for x := range m.W {
			for c := range 3 {
				p := uint8(r.IntN(256))
				m.Pix[3*(y*m.W+x)+c], mirrored.Pix[3*(y*m.W+m.W-1-x)+c] = p, p
			}
		}
	}
	a, errA := v.Probabilities(task.EvalContext(), task.model, m)
	b, errB := v.Probabilities(task.EvalContext(), task.model, mirrored)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		pixel, class := i/6, i%6
		j := (pixel/m.W*m.W+m.W-1-pixel%m.W)*6 + class
		if d := a[i] - b[j]; d > 1e-5 || d < -1e-5 {
			t.Fatalf("pixel %d, class %d: %g and %g", pixel, class, a[i], b[j])
		}
	}
}

// unlabelled has masks without any class.
type unlabelled struct{ data.Dataset }

func (u unlabelled) Sample(i int) (data.Sample, error) {
	s, err := u.Dataset.Sample(i)
	s.Mask = &data.Mask{W: s.Mask.W, H: s.Mask.H, Class: bytes.Repeat([]byte{data.NoClass}, len(s.Mask.Class))}
	return s, err
}

// Where no pixel has a class the scores would not be numbers, which otherwise means that training diverged.
func TestEvaluateWithoutClasses(t *testing.T) {
	task := tinyTask(t)
	ds := unlabelled{data.Procedural(2, 48, 3)}
	_, err := Evaluate(t.Context(), task.Env, task.model, viewOf(task.Config), ds, nil)
	if err == nil || errors.Is(err, errNotANumber) || !strings.Contains(err.Error(), "no pixel of 2 masks has a class") {
		t.Errorf("error %v", err)
	}
}

// Evaluation counts the pixels of masks at their own size.
func TestEvaluate(t *testing.T) {
	task := tinyTask(t)
	ds := data.Procedural(6, 48, 3)
	seen := 0
	metric := masks.NewMetric(6)
	report, err := Evaluate(t.Context(), task.Env, task.model, viewOf(task.Config), ds, func(i int, s data.Sample, p *Pixels) error {
		seen++
		metric.Add(p.Class, s.Mask)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	pixels := int64(0)
	for _, n := range report.Pixels {
		pixels += n
	}
	if report.Images != 6 || seen != 6 || pixels != 6*48*48 || report.MeanIoU != metric.Scores().MeanIoU {
		t.Errorf("%d images, %d seen, %d pixels, mIoU %g", report.Images, seen, pixels, report.MeanIoU)
	}
}

// Members of a group share the images of an evaluation, and all have the report of one process.
func TestEvaluateTogether(t *testing.T) {
	ds := data.Procedural(5, 48, 3)
	alone := tinyTask(t)
	want, err := Evaluate(t.Context(), alone.Env, alone.model, viewOf(alone.Config), ds, nil)
	if err != nil {
		t.Fatal(err)
	}
	tasks := []*task{tinyTask(t), tinyTask(t)}
	seen := make([]int, len(tasks))
	evaluate := func(each func(rank int, report Report, err error)) {
		var wait sync.WaitGroup
		for rank, g := range dist.LocalTimeout(len(tasks), time.Minute) {
			wait.Go(func() {
				task := tasks[rank]
				task.Group = g
				report, err := Evaluate(t.Context(), task.Env, task.model, viewOf(task.Config), ds, func(int, data.Sample, *Pixels) error {
					seen[rank]++
					return nil
				})
				each(rank, report, err)
			})
		}
		wait.Wait()
	}
	evaluate(func(rank int, report Report, err error) {
		if d := cmp.Diff(want, report, cmpopts.EquateNaNs()); d != "" || err != nil {
			t.Errorf("rank %d: error %v, report (-alone +member):\n%s", rank, err, d)
		}
	})
	if seen[0] != 3 || seen[1] != 2 {
		t.Errorf("members looked at %v images", seen)
	}
	tasks[1].set.Values().Fill(float32(math.NaN()))
	evaluate(func(rank int, _ Report, err error) {
		if !errors.Is(err, errNotANumber) {
			t.Errorf("rank %d, beside a member whose weights are not numbers: error %v", rank, err)
		}
	})
}
