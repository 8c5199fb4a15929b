package beit_test

import (
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// pretraining is a MIM model with its tokenizer, on a device of its own.
type pretraining struct {
	dev       *tensor.Device
	tokenizer *beit.VQKD
	tokSet    *nn.Set
	set       *nn.Set
	model     *beit.MIM
	tokOpt    *optim.AdamW
	opt       *optim.AdamW
	tape      *autograd.Tape
	images    *tensor.Tensor
	features  *tensor.Tensor
	mask      []bool
	step      int
}

func newPretraining(t *testing.T, tok beit.VQKDConfig, mim beit.MIMConfig, mask beit.MaskConfig, batch int) *pretraining {
	t.Helper()
	levels := tensor.CPULevels()
	dev := tensor.CPULevel(levels[len(levels)-1])
	p := &pretraining{dev: dev, tokSet: nn.NewSet(), set: nn.NewSet(), tape: autograd.NewTape(dev)}
	p.tokenizer = beit.NewVQKD(p.tokSet.Scope(), tok)
	p.model = beit.NewMIM(p.set.Scope(), mim)
	p.tokSet.Build(dev, 1, nn.Training)
	p.set.Build(dev, 2, nn.Training)
	c := optim.AdamWConfig{Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05, Clip: 3}
	p.tokOpt, p.opt = optim.NewAdamW(p.tokSet, c), optim.NewAdamW(p.set, c)
	side, n := mim.ViT.ImageSize, mim.ViT.Tokens()
	p.images = tensor.FromSlice(dev, testImages(batch, side), batch, 3, side, side)
	hog, err := beit.NewHOGRef(side, mim.ViT.PatchSize, 0)
	if err != nil {
		t.Fatal(err)
	}
	p.features = hog.Features(nn.Context{}, p.images)
	p.mask = make([]bool, batch*n)
	for i := range batch {
		beit.BlockMask(mask, tensor.NewRand(4, uint64(i)), p.mask[i*n:(i+1)*n])
	}
	return p
}

func newTinyPretraining(t *testing.T, batch int) *pretraining {
	mim := aggregation(32)
	mim.ViT.DropPath = 0.3
	return newPretraining(t, tinyVQKD(32), mim, beit.MaskConfig{Rows: 4, Cols: 4, Count: 6, MinBlock: 2}, batch)
}

func (p *pretraining) context() nn.Context {
	return nn.Context{Tape: p.tape, Train: true, Seed: 9, Step: p.step}
}

// trainTokenizer makes one step of the tokenizer.
func (p *pretraining) trainTokenizer() {
	p.tokSet.ZeroGrad()
	r := p.tokenizer.Forward(p.context(), p.tape.Constant(p.images), p.features)
	p.tape.Backward(r.Loss)
	p.tokenizer.Accumulate(r)
	p.tokenizer.UpdateCodebook()
	p.tokOpt.Step(1e-3)
	p.tape.Reset()
}

// trainMIM makes one step of the MIM model and returns its loss.
func (p *pretraining) trainMIM() float32 {
	p.set.ZeroGrad()
	labels := beit.CodeTarget{Tokenizer: p.tokenizer}.Labels(p.context(), p.images)
	r := p.model.Forward(p.context(), p.tape.Constant(p.images), p.mask, labels)
	p.tape.Backward(r.Loss)
	p.opt.Step(1e-3)
	loss := r.Loss.Value().Item()
	p.tape.Reset()
	p.step++
	return loss
}

// TestTrainingBytesDoNotDependOnThreads trains both models and compares weights, moments and codebook bit by bit.
func TestTrainingBytesDoNotDependOnThreads(t *testing.T) {
	defer tensor.SetThreads(tensor.Threads())
	var want []uint32
	for _, threads := range []int{1, 2, 5} {
		tensor.SetThreads(threads)
		p := newTinyPretraining(t, 24) // more rows than one task takes
		for range 3 {
			p.trainTokenizer()
			p.trainMIM()
		}
		var got []uint32
		for _, x := range []*tensor.Tensor{p.tokSet.Values(), p.tokenizer.Codebook.Value, p.set.Values(), p.set.Grads(), p.opt.M, p.opt.V} {
			for _, v := range x.Float32s() {
				got = append(got, math.Float32bits(v))
			}
		}
		if want == nil {
			want = got
		} else if !cmp.Equal(want, got) {
			t.Errorf("%d threads give other bytes than one", threads)
		}
	}
}

// TestSteadyStepsTakeNoMemory trains small32. The Go heap that a step allocates is small relative to the model and does not grow with the
// batch. The pool stops growing.
func TestSteadyStepsTakeNoMemory(t *testing.T) {
	defer tensor.SetThreads(tensor.Threads())
	tensor.SetThreads(2)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would empty the sync.Pools that hold packing buffers
	tok := tokenizer.SectionOf(tokenizer.Method.Preset("small32")).Model
	tok.KMeansInit, tok.TargetDim = false, 30
	mim := pretrain.SectionOf(pretrain.Method.Preset("small32"))
	// The minimum over several steps: the first matmul of a worker allocates a packing buffer, which is then kept.
	heap := func(batch int) (bytes uint64, p *pretraining) {
		p = newPretraining(t, tok, mim.Model, mim.Mask, batch)
		for range 3 {
			p.trainMIM()
		}
		pool := p.dev.MemStats()
		bytes = math.MaxUint64
		for range 3 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p.trainMIM()
			runtime.ReadMemStats(&after)
			bytes = min(bytes, after.TotalAlloc-before.TotalAlloc)
		}
		// Workers allocate scratch memory at different times, so the pool may still grow a little.
		if now := p.dev.MemStats(); now.Held > pool.Held+pool.Held/50 || now.InUse != pool.InUse {
			t.Errorf("batch %d: the pool went from %+v after step 3 to %+v", batch, pool, now)
		}
		return bytes, p
	}
	one, _ := heap(1)
	eight, p := heap(8)
	t.Logf("a step takes %d bytes of Go heap at batch 1, %d at batch 8; the model has %d parameters", one, eight, p.set.Count())
	if raceDetector {
		return // under the race detector sync.Pool drops part of what it is given
	}
	if weights := 4 * uint64(p.set.Count()); eight > weights/10 || eight > 1<<20 {
		t.Errorf("a step takes %d bytes of Go heap, the weights are %d", eight, weights)
	}
	if eight > one+one/2 {
		t.Errorf("a step takes %d bytes of Go heap on 8 images and %d on one", eight, one)
	}
}

// TestTrainedModelsServeGoroutines runs models that were built for training from many goroutines, each with its own tape.
func TestTrainedModelsServeGoroutines(t *testing.T) {
	p := newTinyPretraining(t, 4)
	p.dev.SetPoison(true)
	p.trainTokenizer()
	p.trainMIM()
	type answer struct {
		Codes       []int32
		Class, Mean []float32
	}
	ask := func(tape *autograd.Tape) (a answer) {
		defer tape.Reset()
		c := nn.Context{Tape: tape}
		codes := p.tokenizer.Codes(c, tape.Constant(p.images))
		defer codes.Release()
		a.Codes = codes.Ints()
		tape.NoGrad(func() {
			class, mean := p.model.Features(c, tape.Constant(p.images))
			a.Class, a.Mean = class.Value().Float32s(), mean.Value().Float32s()
		})
		return a
	}
	want := ask(autograd.NewTape(p.dev))
	inUse := p.dev.MemStats().InUse
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			tape := autograd.NewTape(p.dev)
			for range 5 {
				if diff := cmp.Diff(want, ask(tape)); diff != "" {
					t.Error("a goroutine gets another answer than alone")
				}
			}
		})
	}
	wg.Wait()
	if now := p.dev.MemStats().InUse; now != inUse {
		t.Errorf("%d bytes in use, were %d", now, inUse)
	}
}

// TestPrecisionIsPassedOn checks that every matmul has the precision of the tape, except those of the tokenizer that are always
// float32, and that the precision of the tape does not change.
func TestPrecisionIsPassedOn(t *testing.T) {
	p := newTinyPretraining(t, 2)
	spy := &precisionSpy{Backend: p.dev.Backend(), seen: map[tensor.Precision]int{}}
	dev := tensor.NewDevice(spy)
	set := nn.NewSet()
	model := beit.NewMIM(set.Scope(), aggregation(32))
	set.Build(dev, 1, nn.Training)
	tape := autograd.NewTape(dev)
	tape.Precision = tensor.Medium
	c := nn.Context{Tape: tape, Train: true}
	r := model.Forward(c, tape.Constant(tensor.FromSlice(dev, p.images.Float32s(), p.images.Shape()...)), p.mask, beit.GivenCodes(make([]int32, 32)))
	tape.Precision = tensor.Highest // backward uses that of the forward pass
	tape.Backward(r.Loss)
	tape.Reset()
	if len(spy.seen) != 1 || spy.seen[tensor.Medium] == 0 {
		t.Errorf("matmuls by precision: %v, want medium only", spy.seen)
	}

	clear(spy.seen)
	tok := nn.NewSet()
	tokenizer := beit.NewVQKD(tok.Scope(), tinyVQKD(32))
	tok.Build(dev, 1, nn.Training)
	tape.Precision = tensor.Medium
	res := tokenizer.Forward(c, tape.Constant(tensor.FromSlice(dev, p.images.Float32s(), p.images.Shape()...)),
		tensor.FromSlice(dev, p.features.Float32s(), p.features.Shape()...))
	tape.Backward(res.Loss)
	tape.Reset()
	if tape.Precision != tensor.Medium {
		t.Errorf("the tape's precision became %v", tape.Precision)
	}
	// Two layers after the encoder and two after the decoder are exact, forward and backward.
	if spy.seen[tensor.Highest] != 8 || spy.seen[tensor.Medium] == 0 {
		t.Errorf("matmuls by precision: %v, want 8 at highest", spy.seen)
	}
}

// precisionSpy counts the precisions of matmuls.
type precisionSpy struct {
	tensor.Backend
	seen map[tensor.Precision]int
}

func (s *precisionSpy) Begin(op string, p tensor.Precision) tensor.Ops {
	switch op {
	case "MatMulInto", "Linear", "LinearGrad", "Attention", "AttentionGrad":
		s.seen[p]++
	}
	return s.Backend.Begin(op, p)
}
