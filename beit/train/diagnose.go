package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// ErrNotFinite is wrapped by the error of a run that met NaN or infinity.
var ErrNotFinite = errors.New("not finite")

// diagnose does update step, whose gradient was not finite, once more with every tensor checked, and returns an error that names the
// first bad one. The optimizer left the parameters as they were before it.
func (r *run) diagnose(step int) error {
	r.task.rewind()
	r.task.set().ZeroGrad()
	bad := ""
	check := func(name string, t *tensor.Tensor) {
		if bad == "" {
			bad = describeBad(name, t)
		}
	}
	for _, p := range r.task.set().Params() {
		check("parameter "+p.Name, p.Value)
	}
	accum, micro := r.cfg.Train.Accum, 0
	for b, err := range r.loader.Batches(context.Background(), step/r.perEpoch, step%r.perEpoch*accum) {
		if err != nil {
			return err
		}
		c := r.context(micro)
		c.Step = step
		r.backward(r.task.inspect(c, b, check))
		if micro++; micro == accum || bad != "" {
			break
		}
	}
	for _, p := range r.task.set().Flat() {
		check("gradient of "+p.Name, p.Grad)
	}
	if bad == "" {
		bad = "the norm of the gradient, whose parts are finite, is"
	}
	return fmt.Errorf("update %d in epoch %d: %s %w; the run stopped and what was saved before is intact", step+1, step/r.perEpoch+1, bad, ErrNotFinite)
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
