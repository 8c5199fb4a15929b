package beit_test

import (
	"testing"

	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/tensor"
)

// TestOracle compares every CPU level of this machine with the reference data. Released memory is filled with NaN.
func TestOracle(t *testing.T) {
	oracletest.Check(t)
	for _, level := range tensor.CPULevels() {
		t.Run(level, func(t *testing.T) {
			dev := tensor.CPULevel(level)
			dev.SetPoison(true)
			oracletest.Run(t, dev)
		})
	}
}

func TestOracleSchedule(t *testing.T) { oracletest.Schedule(t) }

// TestCodebooks compares every CPU level with float64, for every way to compare and to move codes.
func TestCodebooks(t *testing.T) {
	for _, level := range tensor.CPULevels() {
		t.Run(level, func(t *testing.T) {
			dev := tensor.CPULevel(level)
			dev.SetPoison(true)
			oracletest.Codebooks(t, dev)
		})
	}
}
