package bench

import (
	"context"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// speedTime is how long TrainingSpeed measures, besides a step before.
const speedTime = 400 * time.Millisecond

// TrainingSpeed measures for less than a second how many floating-point operations a second a device does while it trains the backbone of the preset
// small32. Larger networks come to somewhat more, smaller ones to less.
func TrainingSpeed(ctx context.Context, dev *tensor.Device) (float64, error) {
	g := newGiven(dev, "small32", 16, tensor.Highest)
	defer g.release()
	g.step()
	if err := dev.Sync(ctx); err != nil {
		return 0, err
	}
	began, before := time.Now(), dev.Work()
	for time.Since(began) < speedTime {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		g.step()
		if err := dev.Sync(ctx); err != nil { // which is behind the host
			return 0, err
		}
	}
	return (dev.Work() - before) / time.Since(began).Seconds(), nil
}
