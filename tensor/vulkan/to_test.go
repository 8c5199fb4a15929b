package vulkan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// Tensors of each dtype, and views, go to a device and come back as they were.
func TestToAndBack(t *testing.T) {
	onDrivers(t, func(t *testing.T, dev *tensor.Device) {
		cpu := tensor.CPU()
		x := tensor.FromSlice(cpu, []float32{1, -2, 3.5, 1e-9, 0, 7}, 2, 3)
		ints := tensor.FromInts(cpu, []int32{1, -2, 3, 1 << 30}, 2, 2)
		for name, from := range map[string]*tensor.Tensor{
			"float32": x, "a view": x.T(), "bfloat16": tensor.Cast(x, tensor.BFloat16), "int32": ints, "an int32 view": ints.T(), "empty": x.Slice(0, 1, 1),
		} {
			there := from.To(dev)
			back := there.T().To(cpu).T() // a view on the device
			if there.Device() != dev || there.DType() != from.DType() || back.Device() != cpu || back.DType() != from.DType() {
				t.Errorf("%s: %v on %s, %v on %s", name, there.DType(), there.Device().Name(), back.DType(), back.Device().Name())
			}
			if diff := cmp.Diff(from.String(), back.String()); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			there.Release()
		}
	})
}
