package train

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"
	"unsafe"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/dist"
)

// errAsked ends a run that another process of its group was asked to end.
var errAsked = errors.New("another process was interrupted")

// leads says whether a process of g writes the run folder, which is that of rank 0.
func leads(g dist.Group) bool { return g == nil || g.Rank() == 0 }

func (l *loop) leads() bool { return leads(l.env.Group) }

// grouped says whether other processes train together with this one.
func (l *loop) grouped() bool { return l.env.Group.Size() > 1 }

// claim keeps other runs out of dir. The process that writes there does so for its group.
func claim(g dist.Group, dir string) (io.Closer, error) {
	if !leads(g) {
		return io.NopCloser(nil), nil
	}
	return run.Claim(dir)
}

// share leaves this process its part of the micro-batches of each step, and refuses a run whose steps have no equal parts.
func (l *loop) share() error {
	g, t := l.env.Group, l.env.Config.Train
	n := g.Size()
	switch {
	case n == 1:
		return nil
	case t.AccumulationSteps%n != 0:
		return fmt.Errorf("train.accumulation_steps = %d: %d processes share the parts of a batch of %d, so it must be a multiple of %d that divides the batch",
			t.AccumulationSteps, n, t.Batch, n)
	case t.TimeBudget > 0 || t.FLOPBudget > 0:
		return fmt.Errorf("%d processes train together: set train.epochs in place of a budget of time or operations", n)
	}
	l.env.Loader.Share(g.Rank(), n)
	l.note("%d processes train together, each on %d of the %d micro-batches of a step", n, t.AccumulationSteps/n, t.AccumulationSteps)
	return nil
}

// agree refuses to train together with processes that have another configuration, other images, or are at another step.
func (l *loop) agree() error {
	g := l.env.Group
	if g.Size() == 1 {
		return nil
	}
	mine := fmt.Sprintf("%s\nimages: %s\nlearns from: %s\nstep: %d\n", l.env.Config.TOML(), l.at.Data, l.at.Source, l.at.Step)
	all, err := g.Gather([]byte(mine))
	if err != nil {
		return err
	}
	for rank, theirs := range all {
		if !bytes.Equal(theirs, all[0]) {
			return fmt.Errorf("rank %d has another run than rank 0: %s", rank, difference(string(theirs), string(all[0])))
		}
	}
	return nil
}

// difference shows the first lines that differ.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("%q, not %q", x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(x), len(y))
}

// shareWeights gives all processes the parameters and buffers of rank 0.
func (l *loop) shareWeights() error {
	if !l.grouped() {
		return nil
	}
	set := l.task.Set()
	if err := dist.Share(l.env.Group, set.Values(), 0); err != nil {
		return err
	}
	for _, p := range set.Params() {
		if p.Buffer {
			if err := dist.Share(l.env.Group, p.Value, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkWeights fails when the parameters, or the buffers such as a codebook, of two processes differ: then one computes in another way.
func (l *loop) checkWeights() error {
	if !l.grouped() {
		return nil
	}
	h := fnv.New128a()
	for _, p := range l.task.Set().Params() {
		io.WriteString(h, p.Name)
		if x := p.Value.Float32s(); len(x) > 0 {
			h.Write(unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x)))
		}
	}
	all, err := l.env.Group.Gather(h.Sum(nil))
	if err != nil {
		return err
	}
	for rank, theirs := range all {
		if !bytes.Equal(theirs, all[0]) {
			return fmt.Errorf("after step %d the weights of rank %d are not those of rank 0: all processes need the same kind of device and the same CPU level (see BEIT_CPU)",
				l.at.Step, rank)
		}
	}
	return nil
}

// reduce adds up gradients and the task's statistics over the processes that train together.
func (l *loop) reduce() error {
	if !l.grouped() {
		return nil
	}
	began := time.Now()
	err := l.sums.finish(l.env.Tape)
	l.clock.summed(time.Since(began))
	if err != nil {
		return fmt.Errorf("step %d: %w", l.at.Step+1, err)
	}
	if c, ok := l.task.(method.Collective); ok {
		if err := c.Reduce(l.at.Step); err != nil {
			return fmt.Errorf("step %d: %w", l.at.Step+1, err)
		}
	}
	return nil
}

// asked says whether the run is to stop, because a process of it was told so, and whether a checkpoint is due.
func (l *loop) asked(ctx context.Context) (stop, due bool, err error) {
	stop, due = ctx.Err() != nil, l.checkpointDue()
	if !l.grouped() {
		return stop, due, nil
	}
	votes := []int64{0, 0}
	if stop {
		votes[0] = 1
	}
	if due && l.leads() { // clocks differ
		votes[1] = 1
	}
	err = l.env.Group.AllReduceInt64(votes)
	return votes[0] > 0, votes[1] > 0, err
}

// stopError is the error of a run that was asked to stop.
func stopError(ctx context.Context) error { return cmp.Or(ctx.Err(), errAsked) }

// interrupted says whether err is that a run was asked to stop.
func interrupted(ctx context.Context, err error) bool {
	return errors.Is(err, errAsked) || ctx.Err() != nil && errors.Is(err, ctx.Err())
}

// whole is the context of work that the processes of a group begin and end together: one alone does not leave it.
func (l *loop) whole(ctx context.Context) context.Context {
	if l.grouped() {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// firstBad is what this process found that is not finite; of a process that found nothing, which other one did.
func (l *loop) firstBad(bad string) (string, error) {
	all, err := l.env.Group.Gather([]byte(bad))
	for rank, theirs := range all {
		if bad == "" && len(theirs) > 0 {
			bad = fmt.Sprintf("on rank %d, %s", rank, theirs)
		}
	}
	return bad, err
}
