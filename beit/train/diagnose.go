package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// ErrNotFinite is wrapped by the error of a run that met NaN or infinity.
var ErrNotFinite = errors.New("not finite")

// diagnose does a step whose gradient was not finite once more with every tensor checked, and returns an error that names the first bad one. The
// optimiser left the parameters as they were before it.
func (l *loop) diagnose(step int) error {
	if u, ok := l.task.(method.Undoer); ok {
		u.Undo()
	}
	l.task.Set().ZeroGrad()
	bad := ""
	check := func(name string, t *tensor.Tensor) {
		if bad == "" {
			bad = describeBad(name, t)
		}
	}
	for _, p := range l.task.Set().Params() {
		check("parameter "+p.Name, p.Value)
	}
	perEpoch, accum, micro := l.env.StepsPerEpoch, l.env.Config.Train.AccumulationSteps, 0
	for b, err := range l.env.Loader.Batches(context.Background(), step/perEpoch, step%perEpoch*accum) {
		if err != nil {
			return err
		}
		c := l.context(b.Number % accum)
		c.Step = step
		l.backward(l.inspect(c, b, check))
		if micro++; micro == accum/l.env.Group.Size() || bad != "" {
			break
		}
	}
	for _, p := range l.task.Set().Flat() {
		check("gradient of "+p.Name, p.Grad)
	}
	bad, err := l.firstBad(bad)
	if err != nil {
		return err
	}
	if bad == "" {
		bad = "the norm of the gradient, whose parts are finite, is"
	}
	return fmt.Errorf("step %d in epoch %d: %s %w; the run stopped and what was saved before is intact", step+1, step/perEpoch+1, bad, ErrNotFinite)
}

// inspect shows check what a forward pass goes through: of a task that cannot show more, the loss.
func (l *loop) inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	if i, ok := l.task.(method.Inspector); ok {
		return i.Inspect(c, b, check)
	}
	loss, _ := l.task.Forward(c, b)
	check("loss", loss.Value())
	return loss
}

// describeBad says which number of t is the first that is not finite; "" when there is none.
func describeBad(name string, t *tensor.Tensor) string {
	for i, v := range t.Float32s() {
		if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Sprintf("%s, element %d, is %v:", name, i, v)
		}
	}
	return ""
}
