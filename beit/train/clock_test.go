package train

import (
	"math"
	"testing"
	"time"
)

// A clock that has not moved since the last record gives no NaN and no infinite speed, which would read as a run that diverged.
func TestRatesOfACoarseClock(t *testing.T) {
	l := lap{since: time.Now().Add(time.Hour), images: 8}
	if speed, wait := l.rates(); math.IsInf(speed, 0) || wait != 0 {
		t.Errorf("speed %g, data time %g", speed, wait)
	}
}
