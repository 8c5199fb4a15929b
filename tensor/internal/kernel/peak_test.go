package kernel

import "testing"

// The figure is that of some processor, from a slow emulated one to more than there is.
func TestPeak(t *testing.T) {
	for _, s := range Levels() {
		for _, medium := range []bool{false, true} {
			if got := s.Peak(medium); got < 1e6 || got > 1e13 {
				t.Errorf("%s, medium %v: %g FLOP/s", s.Level, medium, got)
			}
		}
	}
}
