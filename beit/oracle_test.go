package beit_test

import (
	"testing"

	"github.com/gobeit/gobeit/beit/oracletest"
	"github.com/gobeit/gobeit/tensor"
)

// TestOracle compares every CPU level of this machine with the reference data.
func TestOracle(t *testing.T) {
	for _, level := range tensor.CPULevels() {
		t.Run(level, func(t *testing.T) { oracletest.Run(t, tensor.CPULevel(level)) })
	}
}
