package train

import (
	"math"
	"testing"
	"time"
)

// A clock that has not moved since the last record gives no NaN and no infinite speed, which would read as a run that diverged.
func TestRatesOfACoarseClock(t *testing.T) {
	later := time.Now().Add(time.Hour)
	for images, want := range map[int]float64{0: 0, 8: 8e6} {
		if speed, wait := (lap{since: later, images: images}).rates(); math.Abs(speed-want) > 1e-3 || math.Signbit(wait) || wait != 0 {
			t.Errorf("%d images: speed %g, data time %g", images, speed, wait)
		}
	}
}
