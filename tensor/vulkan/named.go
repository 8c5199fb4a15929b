package vulkan

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/tensor"
)

// ErrName is the error of OpenNamed for a name that is of none of its forms.
var ErrName = errors.New("want cpu, vulkan or vulkan:N; 'beit devices' lists them")

// OpenNamed opens the device with a name as users write it: "cpu", "vulkan" for the GPU that Open takes by default, or "vulkan:1", where 1 is
// what Options.Device takes. Close accepts each of them.
func OpenNamed(ctx context.Context, name string) (*tensor.Device, error) {
	kind, device, chosen := strings.Cut(name, ":")
	switch {
	case name == "cpu":
		if err := tensor.CheckCPU(); err != nil {
			return nil, err
		}
		return tensor.CPU(), nil
	case kind == "vulkan" && chosen == (device != ""):
		return Open(ctx, Options{Device: device})
	}
	return nil, fmt.Errorf("device %q: %w", name, ErrName)
}
