package target

import "testing"

// TestNearestPatch works out a row of four patches in a grid by hand.
func TestNearestPatch(t *testing.T) {
	nearest := NewNearestPatch(3)
	// Codes   1 1 2    masked  . x x
	//         3 1 2            x . .
	//         3 3 2            . . x
	codes := []int32{1, 1, 2, 3, 1, 2, 3, 3, 2}
	mask := []bool{false, true, true, true, false, false, false, false, true}
	// Patch 1 copies 0: hit. 2 copies 5: hit. 3 has 0, 4 and 6 at distance 1 and copies 0: miss. 8 copies 5: hit.
	if masked, hits := nearest.Count(codes, mask); masked != 4 || hits != 3 {
		t.Errorf("%d masked, %d hits; want 4 and 3", masked, hits)
	}
}
