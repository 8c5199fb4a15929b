package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Constants of the estimate of what a step takes.
const (
	speedWarm    = 2   // micro-batches that are not timed
	speedTimed   = 6   // micro-batches that are, if they are not slow
	speedStep    = 1.1 // optimiser, codebook and checkpoints beside forward and backward
	speedForward = 0.4 // a validation image beside a training image

	speedPatience = 4 * time.Second // after which fewer micro-batches will do where no budget of operations depends on them
)

// ErrNoStep is wrapped by the error of a run whose budget of operations does not reach for a step.
var ErrNoStep = errors.New("it pays for none")

// Price is what a step takes.
type Price struct{ Seconds, FLOPs float64 }

// fitBudget sets the number of epochs, and of their steps, to what the budgets of time and of operations allow. It changes nothing else: the run is
// the same as one with those numbers configured.
func (l *loop) fitBudget(ctx context.Context) error {
	one, err := l.measure(ctx, speedTimed)
	if err != nil {
		return err
	}
	t := &l.env.Config.Train
	images := float64(t.Batch) / one.Seconds
	steps, full := math.Inf(1), float64(l.env.StepsPerEpoch)
	if t.FLOPBudget > 0 {
		steps = math.Floor((t.FLOPBudget - l.at.Work) / one.FLOPs)
		if steps < 1 {
			return fmt.Errorf("train.flop_budget = %g: preparation took %.3g operations, and a step takes %.3g: %w", t.FLOPBudget, l.at.Work, one.FLOPs, ErrNoStep)
		}
	}
	if t.TimeBudget > 0 {
		validation := 0.0
		if l.env.Val != nil {
			validation = speedForward / images * float64(l.env.Val.Len())
		}
		left := (t.TimeBudget - time.Since(l.began)).Seconds()
		epochs := max(1, math.Ceil(left/(full*one.Seconds+validation)))
		steps = min(steps, max(1, (left-epochs*validation)/one.Seconds))
	}
	t.Epochs, t.EpochSteps = Split(steps, l.env.StepsPerEpoch)
	l.env.StepsPerEpoch = t.EpochSteps
	l.reporter.Notice(fmt.Sprintf("the budget allows %d epochs of %d steps: about %.0f images/s, %.3g operations a step", t.Epochs, t.EpochSteps, images, one.FLOPs))
	return nil
}

// Split parts a number of steps into epochs of equal length, of at most so many: together not more, and fewer by less than one for each epoch.
// Whole epochs are taken where those have more steps together.
func Split(steps float64, most int) (epochs, perEpoch int) {
	n := max(1, int(steps))
	epochs = (n + most - 1) / most
	if whole := n / most; whole*most > n/epochs*epochs {
		return whole, most
	}
	return epochs, n / epochs
}

// measure is what a step takes, estimated by speedTimed micro-batches, or at least so many where they are slow.
func (l *loop) measure(ctx context.Context, least int) (Price, error) {
	var began time.Time
	var work float64
	done, last := 0, speedWarm+speedTimed
	for epoch := 0; done < last; epoch++ {
		for b, err := range l.env.Loader.Batches(ctx, epoch, 0) {
			if err != nil {
				return Price{}, err
			}
			if done == speedWarm {
				if err := l.env.Device.Sync(ctx); err != nil { // a device may be behind the host
					return Price{}, err
				}
				began, work = time.Now(), l.env.Device.Work()
			}
			loss, _ := l.task.Forward(l.context(0), b)
			l.backward(loss)
			done++
			l.env.Phase("speed", done, last)
			if timed := done - speedWarm; timed >= least && time.Since(began) > speedPatience {
				last = done
			}
			if done == last {
				break
			}
		}
	}
	if err := l.env.Device.Sync(ctx); err != nil {
		return Price{}, err
	}
	parts := float64(l.env.Config.Train.AccumulationSteps) / float64(last-speedWarm)
	return Price{Seconds: time.Since(began).Seconds() * speedStep * parts, FLOPs: (l.env.Device.Work() - work) * parts}, nil
}
