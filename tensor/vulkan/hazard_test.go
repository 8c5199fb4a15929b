//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

func init() {
	roles["hazard"] = func() {
		dev, err := vulkan.Open(context.Background(), vulkan.Options{Device: "0", Validate: true})
		if err != nil {
			fmt.Println(err)
			return
		}
		vulkan.RunWithoutBarriers(dev)
		_, text := vulkan.Messages()
		fmt.Print(text)
	}
}

// The layer that watches over all tests does see a missing barrier: on the drivers at hand the numbers come out right without.
func TestMissingBarriersAreSeen(t *testing.T) {
	if got := inEnvironment(t, "hazard"); !strings.Contains(strings.ReplaceAll(got, "_", "-"), "READ-AFTER-WRITE") {
		skipOrFail(t, errors.New("the validation layer does not see a missing barrier: "+got))
	}
}

// What is bound begins at a multiple of the driver's alignment, so that of a part of a tensor also holds elements before it. The layer takes the shader to
// access them: a copy over them needs a barrier.
func TestCopiesBesidePartsThatAreBound(t *testing.T) {
	onDrivers(t, func(t *testing.T, dev *tensor.Device) {
		x, three := tensor.Full(dev, 1, 2), tensor.Full(dev, 3, 1)
		y := tensor.Affine(x.Slice(0, 1, 2), 2, 0) // after the one barrier that the fills need
		tensor.CopyInto(x.Slice(0, 0, 1), three)
		if got := [3]float32{x.Float32s()[0], x.Float32s()[1], y.Float32s()[0]}; got != [3]float32{3, 1, 2} {
			t.Errorf("%v", got)
		}
	})
}
