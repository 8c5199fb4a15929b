package kernel

import "testing"

// The figure is that of some processor, from a slow emulated one to more than there is.
func TestPeak(t *testing.T) {
	for _, s := range Levels() {
		for _, precision := range []Precision{Highest, High, Medium} {
			if got := s.Peak(precision); got < 1e6 || got > 1e13 {
				t.Errorf("%s, precision %d: %g FLOP/s", s.Level, precision, got)
			}
		}
	}
}
