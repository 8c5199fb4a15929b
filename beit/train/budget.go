package train

import (
	"context"
	"fmt"
	"time"
)

// Constants of the estimate of how long an epoch takes.
const (
	speedWarm    = 2   // micro-batches that are not timed
	speedTimed   = 6   // micro-batches that are
	speedStep    = 1.1 // optimiser, codebook and checkpoints beside forward and backward
	speedForward = 0.4 // a validation image beside a training image
)

// chooseEpochs sets the number of epochs that fit into what is left of the time budget. It changes nothing else: the run is the same
// as one with that number configured.
func (l *loop) chooseEpochs(ctx context.Context) error {
	var began time.Time
	done := 0
	for epoch := 0; done < speedWarm+speedTimed; epoch++ {
		for b, err := range l.env.Loader.Batches(ctx, epoch, 0) {
			if err != nil {
				return err
			}
			if done == speedWarm {
				if err := l.env.Device.Sync(ctx); err != nil { // a device may be behind the host
					return err
				}
				began = time.Now()
			}
			loss, _ := l.task.Forward(l.context(0), b)
			l.backward(loss)
			done++
			l.env.Phase("speed", done, speedWarm+speedTimed)
			if done == speedWarm+speedTimed {
				break
			}
		}
	}
	if err := l.env.Device.Sync(ctx); err != nil {
		return err
	}
	t := &l.env.Config.Train
	perImage := time.Since(began).Seconds() / float64(speedTimed*l.env.Loader.BatchSize())
	perEpoch := perImage * speedStep * float64(l.env.StepsPerEpoch*t.Batch)
	if l.env.Val != nil {
		perEpoch += perImage * speedForward * float64(l.env.Val.Len())
	}
	left := t.TimeBudget - time.Since(l.began)
	t.Epochs = max(1, int(left.Seconds()/perEpoch))
	l.reporter.Notice(fmt.Sprintf("time budget %s: about %.0f images/s allow %d epoch(s)", t.TimeBudget, 1/perImage, t.Epochs))
	return nil
}
