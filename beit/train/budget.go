package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrNoStep is wrapped by the error of a run whose budget of operations does not reach for a step.
var ErrNoStep = errors.New("it pays for none")

// noStep is the error of a budget that does not reach for a step.
func noStep(budget, preparation, step float64) error {
	return fmt.Errorf("train.flop_budget = %g: preparation takes %.3g operations, and a step takes %.3g: %w", budget, preparation, step, ErrNoStep)
}

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
			return noStep(t.FLOPBudget, l.at.Work, one.FLOPs)
		}
	}
	if t.TimeBudget > 0 {
		validation := l.validationSeconds(one)
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
