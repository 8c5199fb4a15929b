package dino

import "testing"

// The number that tells the stream of validation apart stays as it is: old runs would continue with another.
func TestStreams(t *testing.T) {
	if streamVal != 0x747261696e07 {
		t.Errorf("streamVal = %#x", streamVal)
	}
}
