package bench

import (
	"context"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// speedTime is how long TrainingSpeed measures, besides a step before.
const speedTime = 500 * time.Millisecond

// tick is the least that a coarse clock, as that of Windows, can measure.
const tick = 20 * time.Millisecond

// TrainingSpeed returns how many floating-point operations a second a device does while it trains the backbone of the preset small32: those of the
// fastest step of half a second, or of the fastest steps where one is too short to be timed. Larger networks come to somewhat more, smaller ones to less.
func TrainingSpeed(ctx context.Context, dev *tensor.Device) (float64, error) {
	g := newGiven(dev, "small32", 8, tensor.Highest)
	defer g.release()
	fastest := 0.0
	var end time.Time
	for warm := false; !warm || fastest == 0 || time.Now().Before(end); warm = true {
		began, before := time.Now(), dev.Work()
		for again := true; again; again = time.Since(began) < tick {
			g.step()
			if err := dev.Sync(ctx); err != nil { // which is behind the host
				return 0, err
			}
			if err := ctx.Err(); err != nil {
				return 0, err
			}
		}
		if warm {
			fastest = max(fastest, (dev.Work()-before)/time.Since(began).Seconds())
		} else {
			end = time.Now().Add(speedTime)
		}
	}
	return fastest, nil
}
