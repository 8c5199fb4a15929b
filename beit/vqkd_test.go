package beit_test

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// tokenizerRun is a tiny tokenizer with images and features of a teacher.
type tokenizerRun struct {
	dev    *tensor.Device
	set    *nn.Set
	model  *beit.VQKD
	tape   *autograd.Tape
	images *tensor.Tensor
	target *tensor.Tensor
}

// everyWay runs f for every way to compare and to move codes. with makes a configuration one of that way.
func everyWay(t *testing.T, f func(t *testing.T, with func(c *beit.VQKDConfig))) {
	for _, euclidean := range []bool{false, true} {
		for _, gradient := range []bool{false, true} {
			t.Run(fmt.Sprintf("euclidean=%v,codebook_gradient=%v", euclidean, gradient), func(t *testing.T) {
				f(t, func(c *beit.VQKDConfig) { c.Euclidean, c.CodebookGradient = euclidean, gradient })
			})
		}
	}
}

func newTokenizerRun(t *testing.T, codes, batch int, with ...func(c *beit.VQKDConfig)) tokenizerRun {
	t.Helper()
	cfg := tinyVQKD(codes)
	for _, change := range with {
		change(&cfg)
	}
	dev := tensor.CPULevel(tensor.CPULevels()[len(tensor.CPULevels())-1]) // a pool of its own
	r := tokenizerRun{dev: dev, set: nn.NewSet(), tape: autograd.NewTape(dev)}
	r.model = beit.NewVQKD(r.set.Scope(), cfg)
	r.set.Build(dev, 5, nn.Training)
	r.images = tensor.FromSlice(dev, testImages(batch, 16), batch, 3, 16, 16)
	hog, err := beit.NewHOGRef(16, 4, 0)
	if err != nil {
		t.Fatal(err)
	}
	r.target = hog.Features(nn.Context{}, r.images)
	return r
}

func (r tokenizerRun) forward() beit.VQKDResult {
	return r.model.Forward(nn.Context{Tape: r.tape, Train: true}, r.tape.Constant(r.images), r.target)
}

// codes tokenises the run's images on a tape of its own.
func (r tokenizerRun) codes() []int32 {
	tape := autograd.NewTape(r.dev)
	defer tape.Reset()
	c := r.model.Codes(nn.Context{Tape: tape}, tape.Constant(r.images))
	defer c.Release()
	return c.Ints()
}

func rowNorms(x *tensor.Tensor) []float64 {
	v, d := x.Float32s(), x.Dim(1)
	var out []float64
	for ; len(v) > 0; v = v[d:] {
		sum := 0.0
		for _, e := range v[:d] {
			sum += float64(e) * float64(e)
		}
		out = append(out, math.Sqrt(sum))
	}
	return out
}

// TestTokenizerTrains makes some steps and checks the bounds of the losses, that codes are unit rows, that unused codes stay the same
// and that the loss falls. The memory of the pool must be constant after the first steps.
//
// Codes are of any length if Euclidean. Unused ones stay the same only under the EMA: the optimiser has momentum.
func TestTokenizerTrains(t *testing.T) { everyWay(t, tokenizerTrains) }

func tokenizerTrains(t *testing.T, with func(c *beit.VQKDConfig)) {
	const steps = 40
	r := newTokenizerRun(t, 32, 8, with)
	c := r.model.Config
	opt := optim.NewAdamW(r.set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 1e-4})
	var first, last float32
	var inUse int64
	for step := range steps {
		r.set.ZeroGrad()
		before := r.model.Codebook.Value.Float32s()
		res := r.forward()
		r.tape.Backward(res.Loss)
		r.model.Accumulate(res)
		opt.Step(3e-3)
		r.model.UpdateCodebook()
		if q := res.Commitment.Value().Item(); q < 0 || q > 4.0/8 && !c.Euclidean { // (z − v)² of unit vectors is at most 4, over D
			t.Fatalf("step %d: quantisation loss %g", step, q)
		}
		last = res.Rec.Value().Item()
		if step == 0 {
			first = last
		}
		seen := map[int32]bool{}
		for _, c := range res.Codes.Ints() {
			seen[c] = true
		}
		after := r.model.Codebook.Value.Float32s()
		for k, norm := range rowNorms(r.model.Codebook.Value) {
			if math.Abs(norm-1) > 1e-6 && !c.Euclidean {
				t.Fatalf("step %d: code %d has norm %g", step, k, norm)
			}
			moved := 0.0
			for i := 8 * k; i < 8*k+8; i++ {
				moved = max(moved, math.Abs(float64(after[i]-before[i])))
			}
			if seen[int32(k)] == (moved < 1e-6) && !c.CodebookGradient {
				t.Fatalf("step %d: code %d, used %v, moved by %g", step, k, seen[int32(k)], moved)
			}
		}
		r.tape.Reset()
		if stats := r.dev.MemStats(); step == 2 {
			inUse = stats.InUse
		} else if step > 2 && stats.InUse != inUse {
			t.Fatalf("step %d: %d bytes in use after Reset, were %d", step, stats.InUse, inUse)
		}
	}
	if math.Abs(float64(first)-1) > 0.4 || last > 0.7*first {
		t.Errorf("reconstruction loss went from %g to %g", first, last)
	}
}

// TestAccumulationEqualsOneBatch compares two micro-batches with one batch of both: codebook, statistics and gradients.
func TestAccumulationEqualsOneBatch(t *testing.T) { everyWay(t, accumulationEqualsOneBatch) }

func accumulationEqualsOneBatch(t *testing.T, with func(c *beit.VQKDConfig)) {
	whole, halves := newTokenizerRun(t, 32, 8, with), newTokenizerRun(t, 32, 8, with)
	res := whole.forward()
	whole.tape.Backward(res.Loss)
	whole.model.Accumulate(res)
	whole.model.UpdateCodebook()
	for _, lo := range []int{0, 4} {
		part := halves
		part.images, part.target = halves.images.Slice(0, lo, lo+4), halves.target.Slice(0, lo, lo+4)
		res := part.forward()
		part.tape.Backward(autograd.Affine(res.Loss, 0.5, 0))
		part.model.Accumulate(res)
		part.tape.Reset()
	}
	halves.model.UpdateCodebook()
	for i, p := range whole.set.Params() {
		q := halves.set.Params()[i]
		a, b := p.Value, q.Value
		if !p.Buffer {
			a, b = p.Grad, q.Grad
		}
		x, y := a.Float32s(), b.Float32s()
		for j := range x {
			if d := math.Abs(float64(x[j] - y[j])); d > 1e-6+1e-4*math.Abs(float64(x[j])) {
				t.Fatalf("%s[%d]: %g in one batch, %g in two", p.Name, j, x[j], y[j])
			}
		}
	}
}

func TestTokenizerServesManyGoroutines(t *testing.T) {
	r := newTokenizerRun(t, 32, 4)
	want := r.codes()
	var wg sync.WaitGroup
	got := make([][]int32, 4)
	for i := range got {
		wg.Go(func() {
			for range 3 {
				got[i] = r.codes()
			}
		})
	}
	wg.Wait()
	for i := range got {
		if !slices.Equal(got[i], want) {
			t.Errorf("goroutine %d: other codes", i)
		}
	}
}

// TestCodesAloneAndInABatch checks that the codes of an image do not depend on the rest of the batch.
func TestCodesAloneAndInABatch(t *testing.T) {
	r := newTokenizerRun(t, 256, 5)
	batch := r.codes()
	n := len(batch) / 5
	for i := range 5 {
		one := r
		one.images = r.images.Slice(0, i, i+1)
		if diff := cmp.Diff(batch[i*n:(i+1)*n], one.codes()); diff != "" {
			t.Errorf("image %d: %s", i, diff)
		}
	}
}

func TestSampleRows(t *testing.T) {
	rows := beit.SampleRows(tensor.NewRand(1), 100, 40)
	slices.Sort(rows)
	if len(slices.Compact(rows)) != 40 || rows[0] < 0 || rows[len(rows)-1] > 99 {
		t.Errorf("40 of 100 rows: %v", rows)
	}
	rows = beit.SampleRows(tensor.NewRand(1), 5, 40)
	if len(rows) != 40 || slices.Min(rows) < 0 || slices.Max(rows) > 4 {
		t.Errorf("40 of 5 rows: %v", rows)
	}
}

// TestReseeder checks when codes are replaced and by which tokens, and that a second run and a restored reseeder do the same.
func TestReseeder(t *testing.T) { everyWay(t, reseeder) }

func reseeder(t *testing.T, with func(c *beit.VQKDConfig)) {
	const total, interrupted = 600, 250
	run := func(restart bool) ([]int, []float32) {
		r := newTokenizerRun(t, 512, 2, with) // 32 tokens: most of the codes are never used
		s := beit.NewReseeder(r.model, 9, dist.Single())
		var replaced []int
		res := r.forward()
		for step := range total {
			if restart && step == interrupted {
				next := beit.NewReseeder(r.model, 9, dist.Single())
				next.Restore(s.Counts.Float32s(), s.Ring.Float32s(), s.Seen)
				s = next
			}
			r.model.Accumulate(res)
			r.model.UpdateCodebook()
			s.Observe(res)
			before := r.model.Codebook.Value.Float32s()
			n := s.Step(step, total)
			if n > 0 {
				replaced = append(replaced, step)
				checkReplaced(t, r, res, before, n)
			}
		}
		return replaced, r.model.Codebook.Value.Float32s()
	}
	steps, codebook := run(false)
	if diff := cmp.Diff([]int{199, 299, 399}, steps); diff != "" {
		t.Errorf("steps that replaced codes: %s", diff)
	}
	again, same := run(true)
	if diff := cmp.Diff(steps, again); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
	if !slices.Equal(codebook, same) {
		t.Error("after a restart the codebook differs")
	}
}

// checkReplaced checks that n rows of the codebook changed and that each is now one of the tokens.
func checkReplaced(t *testing.T, r tokenizerRun, res beit.VQKDResult, before []float32, n int) {
	t.Helper()
	z, after := res.Z.Float32s(), r.model.Codebook.Value.Float32s()
	changed := 0
	for at := 0; at < len(after); at += 8 {
		row := after[at : at+8]
		if slices.Equal(row, before[at:at+8]) {
			continue
		}
		changed++
		found := false
		for i := 0; i < len(z); i += 8 {
			found = found || slices.Equal(row, z[i:i+8])
		}
		if !found {
			t.Fatalf("code %d became %v, which is no token", at/8, row)
		}
	}
	if changed == 0 || changed > n {
		t.Fatalf("%d rows changed, the reseeder says %d", changed, n)
	}
}
