package tensor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A copy on another device, and on the same, has the elements of each dtype and of views, and shares no memory.
func TestTo(t *testing.T) {
	here, there := newDevice(), newDevice()
	x := FromSlice(here, []float32{1, -2, 3.5, 1e-9, 0, 7}, 2, 3)
	ints := FromInts(here, []int32{1, -2, 3, 1 << 30}, 2, 2)
	for name, from := range map[string]*Tensor{
		"float32": x, "a view": x.T(), "repeated": x.Slice(0, 0, 1).Expand(4, 3), "bfloat16": Cast(x, BFloat16), "int32": ints, "int32 view": ints.T(),
		"scalar": x.Slice(0, 0, 1).Slice(1, 0, 1).Reshape(), "empty": x.Slice(0, 1, 1),
	} {
		for which, dev := range map[string]*Device{"another": there, "the same": here} {
			y := from.To(dev)
			if y.Device() != dev || y.DType() != from.DType() || !y.Shape().Equal(from.Shape()) || !y.IsContiguous() || y.SameStorage(from) {
				t.Errorf("%s to %s device: %v %v", name, which, y.DType(), y.Shape())
			}
			if diff := cmp.Diff(from.String(), y.String()); diff != "" {
				t.Errorf("%s to %s device: %s", name, which, diff)
			}
			if op := y.Op(); op != "To" {
				t.Errorf("made by %s", op)
			}
			y.Release()
		}
	}
	if n := there.MemStats().InUse; n != 0 {
		t.Errorf("%d bytes stay in use", n)
	}
}
