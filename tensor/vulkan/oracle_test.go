package vulkan_test

import (
	"testing"

	"github.com/gobeit/gobeit/beit/oracletest"
	"github.com/gobeit/gobeit/tensor"
)

// TestOracle checks whole models, their gradients and training steps against the authors' code, on every driver.
func TestOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	onDrivers(t, func(t *testing.T, dev *tensor.Device) { oracletest.Run(t, dev) })
}
