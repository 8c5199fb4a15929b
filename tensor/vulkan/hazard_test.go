//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

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
