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
	speedUpdate  = 1.1 // optimizer, codebook and checkpoints beside forward and backward
	speedForward = 0.4 // a validation picture beside a training picture
)

// chooseEpochs sets the number of epochs that fit into what is left of the time budget. It changes nothing else: the run is the same
// as one with that number configured.
func (r *run) chooseEpochs(ctx context.Context) error {
	var began time.Time
	done := 0
	for epoch := 0; done < speedWarm+speedTimed; epoch++ {
		for b, err := range r.loader.Batches(ctx, epoch, 0) {
			if err != nil {
				return err
			}
			if done == speedWarm {
				began = time.Now()
			}
			r.backward(r.task.forward(r.context(0), b))
			done++
			r.phase("speed", done, speedWarm+speedTimed)
			if done == speedWarm+speedTimed {
				break
			}
		}
	}
	perPicture := time.Since(began).Seconds() / float64(speedTimed*r.loader.BatchSize())
	perEpoch := perPicture * speedUpdate * float64(r.perEpoch*r.cfg.Train.Batch)
	if r.pictures.val != nil {
		perEpoch += perPicture * speedForward * float64(r.pictures.val.Len())
	}
	left := r.cfg.Train.TimeBudget - time.Since(r.began)
	r.cfg.Train.Epochs = max(1, int(left.Seconds()/perEpoch))
	r.env.Reporter.Notice(fmt.Sprintf("time budget %s: about %.0f pictures/s allow %d epoch(s)", r.cfg.Train.TimeBudget, 1/perPicture, r.cfg.Train.Epochs))
	return nil
}
