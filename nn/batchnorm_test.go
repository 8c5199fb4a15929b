package nn

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// normed is a batch norm of its own with values that are no one else's.
type normed struct {
	set   *Set
	layer *BatchNorm
	tape  *autograd.Tape
}

func newNormed(channels int) *normed {
	n := &normed{set: NewSet(), tape: autograd.NewTape(tensor.CPU())}
	n.layer = NewBatchNorm(n.set.Scope(), channels)
	n.set.Build(tensor.CPU(), 1, Training)
	for i, p := range n.set.Params() {
		p.Value.Upload(uniforms(uint64(i), 0.5, 2, channels))
	}
	return n
}

func (n *normed) running() []float32 {
	return append(n.layer.Mean.Value.Float32s(), n.layer.Var.Value.Float32s()...)
}

func uniforms(stream uint64, lo, hi float64, n int) []float32 {
	r, x := tensor.NewRand(7, stream), make([]float32, n)
	for i := range x {
		x[i] = float32(r.Uniform(lo, hi))
	}
	return x
}

// moved are running statistics after batches of maps [B, 2, 3], in float64.
func moved(start []float32, batches ...[]float32) []float64 {
	var out []float64
	for _, v := range start {
		out = append(out, float64(v))
	}
	for _, x := range batches {
		for c := range 2 {
			n, sum, squares := 0.0, 0.0, 0.0
			for i, v := range x {
				if i/3%2 == c {
					n, sum, squares = n+1, sum+float64(v), squares+float64(v)*float64(v)
				}
			}
			out[c] = 0.9*out[c] + 0.1*sum/n
			out[2+c] = 0.9*out[2+c] + 0.1*(squares-sum*sum/n)/(n-1)
		}
	}
	return out
}

func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	for i, w := range want {
		if math.Abs(float64(got[i])-w) > 2e-6*(1+math.Abs(w)) {
			t.Errorf("%s: element %d is %v, want %v", what, i, got[i], w)
		}
	}
}

// Running statistics follow what was observed, not what was computed: forward passes that run again or only look leave them as they are.
func TestRunningStatistics(t *testing.T) {
	n := newNormed(2)
	defer n.set.Release()
	defer n.tape.Reset()
	start := n.running()
	running := NewRunning(dist.Single())
	defer running.Release()
	ctx := Context{Tape: n.tape, Train: true, Running: running}
	batches := [][]float32{uniforms(1, -1, 3, 4*2*3), uniforms(2, 0, 9, 4*2*3)}
	forward := func(c Context, batch int) []float32 {
		x := n.tape.Own(tensor.FromSlice(tensor.CPU(), batches[batch], 4, 2, 3))
		return n.layer.Forward(c, x).Value().Float32s()
	}
	first := forward(ctx, 0)
	if d := cmp.Diff(first, forward(ctx, 0)); d != "" {
		t.Errorf("a second pass differs:\n%s", d)
	}
	running.Observe()
	forward(ctx, 1)
	running.Observe()
	running.Observe()                              // nothing new
	forward(Context{Tape: n.tape, Train: true}, 0) // only looks
	forward(Context{Tape: n.tape}, 0)              // evaluation
	forward(ctx, 0)                                // not observed
	if d := cmp.Diff(start, n.running()); d != "" {
		t.Errorf("forward passes moved the running statistics:\n%s", d)
	}
	running.Update()
	near(t, "after an update", n.running(), moved(start, batches...))
	running.Undo()
	if d := cmp.Diff(start, n.running()); d != "" {
		t.Errorf("after Undo:\n%s", d)
	}
	running.Update()
	if d := cmp.Diff(start, n.running()); d != "" {
		t.Errorf("an update of nothing:\n%s", d)
	}
}

// A pass under activation checkpointing runs twice and counts once.
func TestRunningStatisticsUnderCheckpoint(t *testing.T) {
	n := newNormed(2)
	defer n.set.Release()
	start := n.running()
	running := NewRunning(dist.Single())
	defer running.Release()
	ctx := Context{Tape: n.tape, Train: true, Running: running}
	batch := uniforms(1, -1, 3, 4*2*3)
	x := n.tape.Leaf(tensor.FromSlice(tensor.CPU(), batch, 4, 2, 3))
	y := autograd.Checkpoint(x, func(x *autograd.Var) *autograd.Var { return n.layer.Forward(ctx, x) })
	running.Observe()
	n.tape.BackwardFrom(y, tensor.Full(tensor.CPU(), 1, 4, 2, 3))
	n.tape.Reset()
	running.Update()
	near(t, "running statistics", n.running(), moved(start, batch))
}

// Two processes with halves of a batch, of different sizes, compute what one does with the whole: outputs, gradients, running statistics.
func TestBatchNormOfSeveralProcesses(t *testing.T) {
	x, dy := uniforms(1, -1, 3, 5*2*3), uniforms(2, -1, 1, 5*2*3)
	step := func(g dist.Group, lo, hi int) (y, dx, dwb, running []float32) {
		n := newNormed(2)
		defer n.set.Release()
		defer n.tape.Reset()
		r := NewRunning(g)
		defer r.Release()
		part := func(v []float32) *tensor.Tensor { return tensor.FromSlice(tensor.CPU(), v[lo*6:hi*6], hi-lo, 2, 3) }
		in := n.tape.Leaf(part(x))
		out := n.layer.Forward(Context{Tape: n.tape, Train: true, Running: r}, in)
		r.Observe()
		n.tape.BackwardFrom(out, part(dy))
		r.Update()
		if err := dist.Sum(g, n.set.Grads()); err != nil {
			t.Error(err)
		}
		if r.Err() != nil {
			t.Error(r.Err())
		}
		return out.Value().Float32s(), in.Grad().Float32s(), append(n.layer.W.Grad.Float32s(), n.layer.B.Grad.Float32s()...), n.running()
	}
	want := [4][]float32{}
	want[0], want[1], want[2], want[3] = step(dist.Single(), 0, 5)
	var got [2][4][]float32
	var wait sync.WaitGroup
	for i, g := range dist.Local(2) {
		wait.Go(func() { got[i][0], got[i][1], got[i][2], got[i][3] = step(g, 3*i, 3+2*i) })
	}
	wait.Wait()
	for k, what := range []string{"output", "gradient of x", "gradients of w and b", "running statistics"} {
		whole := append(append([]float32{}, got[0][k]...), got[1][k]...)
		if k >= 2 { // equal in both
			if d := cmp.Diff(got[0][k], got[1][k]); d != "" {
				t.Errorf("%s differ between processes:\n%s", what, d)
			}
			whole = got[0][k]
		}
		var wanted []float64
		for _, v := range want[k] {
			wanted = append(wanted, float64(v))
		}
		near(t, what, whole, wanted)
	}
}

// A group that a member has left is an error, and not one of the pass.
func TestRunningKeepsTheGroupsError(t *testing.T) {
	n := newNormed(2)
	defer n.set.Release()
	defer n.tape.Reset()
	members := dist.Local(2)
	if err := members[1].Close(); err != nil {
		t.Fatal(err)
	}
	r := NewRunning(members[0])
	defer r.Release()
	n.layer.Forward(Context{Tape: n.tape, Train: true, Running: r}, n.tape.Own(tensor.Zeros(tensor.CPU(), 4, 2, 3)))
	if r.Err() == nil {
		t.Error("no error")
	}
}

func TestBatchNormOfOneValue(t *testing.T) {
	n := newNormed(2)
	defer n.set.Release()
	defer n.tape.Reset()
	defer func() {
		err, _ := recover().(error)
		if err == nil || !strings.Contains(err.Error(), "BatchNorm: [1 2 1 1]: want more than one value") {
			t.Errorf("panic %v", err)
		}
	}()
	n.layer.Forward(Context{Tape: n.tape, Train: true}, n.tape.Own(tensor.Zeros(tensor.CPU(), 1, 2, 1, 1)))
}

// A frozen layer has no gradients and uses running statistics in training too.
func TestFrozenBatchNorm(t *testing.T) {
	set := NewSet()
	layer := NewBatchNorm(set.Scope().Frozen(), 2)
	set.Build(tensor.CPU(), 1, Training)
	defer set.Release()
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	x := []float32{1, 2, 3, 4}
	y := layer.Forward(Context{Tape: tape, Train: true}, tape.Own(tensor.FromSlice(tensor.CPU(), x, 1, 2, 2))).Value().Float32s()
	near(t, "output", y, []float64{0.999995, 1.99999, 2.999985, 3.99998})
}
