package nn

import (
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// Running moves the running statistics of a model's batch norms. A forward pass changes none of them: it leaves its statistics here, they are taken note of
// when the pass counts, and moved to after the step of the optimiser.
//
//	running := nn.NewRunning(group)
//	defer running.Release()
//	ctx.Train, ctx.Running = true, running
//	loss := model(ctx, x)
//	running.Observe() // once for each micro-batch
//	tape.Backward(loss)
//	optimizer.Step(lr)
//	running.Update()
//
// A pass that runs again, or one that only looks, leaves no trace unless Observe follows it. A Running belongs to one goroutine.
//
// Where several processes train together, their batch norms normalise by the statistics of all values (SyncBatchNorm in PyTorch), so running
// statistics are equal in all of them. Each process then makes the same forward and backward passes with this Running.
type Running struct {
	group   dist.Group
	err     error
	order   []*BatchNorm // of the last forward passes
	last    map[*BatchNorm]moments
	pending []observed
	before  []observed // the running statistics before the last Update
}

// moments are mean and unbiased variance of each channel, [C].
type moments struct{ mean, variance *tensor.Tensor }

type observed struct {
	layer *BatchNorm
	moments
}

// NewRunning returns a Running for one of the processes of g that train together. dist.Single() is a process alone.
func NewRunning(g dist.Group) *Running { return &Running{group: g, last: map[*BatchNorm]moments{}} }

// total adds up t over all processes; nil when there is only one.
func (r *Running) total() func(t *tensor.Tensor) {
	if r == nil || r.group.Size() == 1 {
		return nil
	}
	return func(t *tensor.Tensor) {
		if r.err == nil {
			r.err = dist.Sum(r.group, t)
		}
	}
}

// Err returns the first error of the group in a forward or backward pass. Statistics after it are those of this process alone.
func (r *Running) Err() error { return r.err }

// note keeps the statistics of a layer's forward pass, in place of those of an earlier one.
func (r *Running) note(n *BatchNorm, m moments) {
	if r == nil {
		m.release()
		return
	}
	if old, ok := r.last[n]; ok {
		old.release()
	} else {
		r.order = append(r.order, n)
	}
	r.last[n] = m
}

// Observe takes note of the statistics of the last forward pass.
func (r *Running) Observe() {
	for _, n := range r.order {
		r.pending = append(r.pending, observed{n, r.last[n]})
	}
	r.order = r.order[:0]
	clear(r.last)
}

// Update moves the running statistics by all that was observed since the last Update, one after the other as PyTorch does in its forward passes:
// running = (1 − momentum)·running + momentum·batch.
func (r *Running) Update() {
	release(r.before)
	r.before = r.before[:0]
	kept := map[*BatchNorm]bool{}
	for _, o := range r.pending {
		n := o.layer
		if !kept[n] {
			kept[n] = true
			r.before = append(r.before, observed{n, moments{n.Mean.Value.Clone(), n.Var.Value.Clone()}})
		}
		tensor.Lerp(n.Mean.Value, o.mean, 1-n.Momentum)
		tensor.Lerp(n.Var.Value, o.variance, 1-n.Momentum)
	}
	release(r.pending)
	r.pending = r.pending[:0]
}

// Undo takes the last Update back, for a step whose gradient was not finite.
func (r *Running) Undo() {
	for _, o := range r.before {
		tensor.CopyInto(o.layer.Mean.Value, o.mean)
		tensor.CopyInto(o.layer.Var.Value, o.variance)
	}
	release(r.before)
	r.before = r.before[:0]
}

// Release gives all memory back, without an update.
func (r *Running) Release() {
	r.Observe()
	release(r.pending)
	release(r.before)
	r.pending, r.before = nil, nil
}

func release(list []observed) {
	for _, o := range list {
		o.release()
	}
}

func (m moments) release() {
	m.mean.Release()
	m.variance.Release()
}
