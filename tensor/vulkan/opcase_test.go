package vulkan_test

import (
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
)

func TestKept(t *testing.T) {
	onDrivers(t, func(t *testing.T, dev *tensor.Device) {
		dev.SetPoison(true)
		if err := opcase.CheckKept(dev); err != nil {
			t.Error(err)
		}
	})
}

// Every case of the table, on every driver, with inputs at aligned and at odd places, over memory full of NaN.
func TestOpCases(t *testing.T) {
	cases := opcase.Cases()
	prepared := make([]*opcase.Prepared, len(cases))
	for i, c := range cases {
		prepared[i] = opcase.Prepare(c)
	}
	onDrivers(t, func(t *testing.T, dev *tensor.Device) {
		dev.SetPoison(true)
		for _, p := range prepared {
			if testing.Short() && p.FLOPs > 1e5 {
				continue // the reference takes long under the race detector
			}
			t.Run(p.Name, func(t *testing.T) {
				if err := p.Check(dev); err != nil {
					t.Error(err)
				}
			})
		}
	})
}
