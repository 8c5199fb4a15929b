package train

import (
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/tensor"
)

// unread is what a step left on the device for the metrics. It is read one step later, so that a device that works on its own never waits for
// the host.
type unread struct {
	step    int            // from 0
	state   *tensor.Tensor // [norm, factor, finite] of the optimiser; nil while the step is under way
	scalars method.Settled
}

// fetch has the device copy the values to the host, as soon as it has them. So reading them does not wait for the step under way by then.
func (u *unread) fetch() { tensor.Prefetch(append(u.scalars.Tensors(), u.state)...) }

func (u *unread) release() {
	if u.state != nil {
		u.state.Release()
	}
	u.scalars.Release()
}

// settle reads what the last step left on the device, and stops the run when its gradient was not finite.
func (l *loop) settle() error {
	u := l.pending
	if u == nil {
		return nil
	}
	l.pending = nil
	defer u.release()
	if err := u.scalars.Gather(l.env.Group); err != nil {
		return err
	}
	s := u.state.Float32s()
	if s[2] != 1 {
		return l.diagnose(u.step)
	}
	m := method.Means{}
	m.Add(method.KeyGradNorm, float64(s[0]), 1)
	u.scalars.Into(m)
	l.at.Interval.Merge(m)
	l.at.Epoch.Merge(m)
	if t, ok := l.task.(method.Settler); ok {
		t.Settled(&u.scalars)
	}
	return nil
}
