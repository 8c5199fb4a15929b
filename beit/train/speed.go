package train

import (
	"context"
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
)

// Constants of the estimate of what a step takes.
const (
	speedWarm    = 2    // micro-batches that are not timed
	speedTimed   = 6    // micro-batches that are, if they are not slow
	speedStep    = 1.03 // optimiser, codebook and checkpoints beside forward and backward
	speedForward = 0.33 // a validation image beside a training image, whose backward pass is about two forward passes

	speedPatience = 4 * time.Second // after which fewer micro-batches will do where no budget of operations depends on them
)

// Constants of the measurement before a run, which tells how long it will take.
const (
	previewTime   = 20 * time.Second
	previewImages = 2    // of the micro-batch that tells how slow they are
	previewTimed  = 3    // micro-batches, if they are not slow
	previewMore   = 1.0  // seconds that more of them take together, where they are fast, but no more than
	previewShare  = 0.01 // this part of the run, which for a short one need not be known well
)

// Price is what a step takes.
type Price struct{ Seconds, FLOPs float64 }

// times is the price multiplied.
func (p Price) times(n float64) Price { return Price{p.Seconds * n, p.FLOPs * n} }

// plus is the sum of both prices.
func (p Price) plus(o Price) Price { return Price{p.Seconds + o.Seconds, p.FLOPs + o.FLOPs} }

// measure is what a step takes, estimated by speedTimed micro-batches, or at least so many where they are slow.
func (l *loop) measure(ctx context.Context, least int) (Price, error) {
	one, _, err := l.microBatch(ctx, l.env.Loader, sample{warm: speedWarm, timed: speedTimed, least: least, patience: speedPatience})
	if err != nil {
		return Price{}, err
	}
	return l.step(one), nil
}

// measureSoon is measure within about previewTime: where whole micro-batches take too long, smaller ones are measured. once is what is made of a training
// image before the first step.
func (l *loop) measureSoon(ctx context.Context) (step, once Price, err error) {
	t := l.env.Config.Train
	micro := t.Batch / t.AccumulationSteps
	n := min(micro, previewImages)
	first, kept, err := l.someImages(ctx, n, sample{timed: 1, least: 1})
	if err != nil {
		return step, once, err
	}
	once = kept.times(1 / float64(n))
	took := first.Seconds + kept.Seconds
	left, image := previewTime.Seconds()-took, took/float64(n)
	more := min(previewMore, previewShare*image*float64(l.env.Steps()*t.Batch))
	s := sample{timed: max(previewTimed, int(more/(image*float64(micro)))), least: 1, patience: time.Duration(left / 2 * float64(time.Second))}
	if can := int(left / (1 + previewTimed) / image); can > n && micro > n {
		n, s.warm = min(can, micro), 1
	}
	one, kept, err := l.someImages(ctx, n, s)
	if err != nil {
		return step, once, err
	}
	if kept != (Price{}) { // it is nothing where all images have theirs of the first time
		once = kept.times(1 / float64(n))
	}
	if n != micro { // memory of these sizes is not needed again
		l.env.Device.Trim()
	}
	return l.step(one.times(float64(micro) / float64(n))), once, nil
}

// step is what a step takes whose micro-batches take so much.
func (l *loop) step(one Price) Price {
	n := float64(l.env.Config.Train.AccumulationSteps / l.env.Group.Size())
	return Price{Seconds: one.Seconds * speedStep * n, FLOPs: one.FLOPs * n}
}

// validationSeconds is how long a validation takes, by the price of a step.
func (l *loop) validationSeconds(step Price) float64 {
	if l.env.Val == nil {
		return 0
	}
	return l.forwardSeconds(step, l.env.Val.Len())
}

// forwardSeconds is how long so many images take without a gradient, by the price of a step.
func (l *loop) forwardSeconds(step Price, images int) float64 {
	return speedForward * step.Seconds / float64(l.env.Config.Train.Batch) * float64(images)
}

// sample says how micro-batches are measured.
type sample struct {
	warm, timed int // micro-batches before, and those that are timed
	least       int // fewer are enough once they took so long
	patience    time.Duration
}

// someImages is microBatch for micro-batches of n images.
func (l *loop) someImages(ctx context.Context, n int, s sample) (one, once Price, err error) {
	e := *l.env
	e.Config = e.Config.Clone()
	e.Config.Train.Batch, e.Config.Train.AccumulationSteps = n, 1
	loader, err := (&loop{env: &e}).trainLoader()
	if err != nil {
		return one, once, err
	}
	return l.microBatch(ctx, loader, s)
}

// microBatch measures what a micro-batch of the loader takes, forward and backward, and apart from that, as once, what a task makes of the images of one
// and keeps. Of the run nothing changes but the gradients, which are zeroed before its first step: random numbers are counted by step and epoch, and
// statistics follow Observe and Update alone.
func (l *loop) microBatch(ctx context.Context, loader *data.Loader, s sample) (one, once Price, err error) {
	var began time.Time
	var work, made float64 // made are the micro-batches of once
	var apart Price        // the part of once that came with those that are timed
	done, last := 0, s.warm+s.timed
	for epoch := 0; done < last; epoch++ {
		for b, err := range loader.Batches(ctx, epoch, 0) {
			if err != nil {
				return one, once, err
			}
			if done == s.warm {
				if err := l.env.Device.Sync(ctx); err != nil { // a device may be behind the host
					return one, once, err
				}
				began, work, apart = time.Now(), l.env.Device.Work(), Price{}
			}
			kept, err := l.keep(ctx, b)
			if err != nil {
				return one, once, err
			}
			if kept != (Price{}) {
				made, once, apart = made+1, once.plus(kept), apart.plus(kept)
			}
			loss, _ := l.task.Forward(l.context(0), b)
			l.backward(loss)
			done++
			l.env.Phase("speed", done, last)
			if timed := done - s.warm; timed >= s.least && time.Since(began) > s.patience {
				last = done
			}
			if done == last {
				break
			}
		}
	}
	if err := l.env.Device.Sync(ctx); err != nil {
		return one, once, err
	}
	n := 1 / float64(last-s.warm)
	one = Price{Seconds: secondsSince(began), FLOPs: l.env.Device.Work() - work}.plus(apart.times(-1))
	one.Seconds = max(one.Seconds, leastSeconds)
	return one.times(n), once.times(1 / max(made, 1)), nil
}

// keep has the task make what it keeps of a batch, and says what that takes: a run makes it before its first step.
func (l *loop) keep(ctx context.Context, b *data.Batch) (Price, error) {
	k, ok := l.task.(method.Keeper)
	if !ok || !k.Lacks(b) {
		return Price{}, nil
	}
	if err := l.env.Device.Sync(ctx); err != nil {
		return Price{}, err
	}
	began, work := time.Now(), l.env.Device.Work()
	k.Keep(b)
	err := l.env.Device.Sync(ctx)
	return Price{Seconds: secondsSince(began), FLOPs: l.env.Device.Work() - work}, err
}
