package oracletest_test

import (
	"testing"

	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/tensor"
)

// methodChecks are the checks of networks in folders of methods, and of those that are loaded by package weights, by the files of beit/testdata/oracle-methods.
var methodChecks = map[string]func(t *testing.T, f *oracletest.File, dev *tensor.Device){
	"cae.safetensors":   checkCAE,
	"dalle.safetensors": checkDALLE,
	"mae.safetensors":   checkMAE,
}

// ownChecks are the checks of methods without code of their authors, by the files of beit/testdata/oracle-own.
var ownChecks = map[string]func(t *testing.T, f *oracletest.File, dev *tensor.Device){
	"peco.safetensors": checkPeCo, "splitmask.safetensors": checkSplitMask,
}

// runMethods checks a device against each file of a method.
func runMethods(t *testing.T, dev *tensor.Device) {
	s := oracletest.OpenMethods(t)
	for name, check := range methodChecks {
		t.Run(name, func(t *testing.T) { check(t, s.OpenFile(t, name), dev) })
	}
	own := oracletest.OpenOwn(t)
	for name, check := range ownChecks {
		t.Run(name, func(t *testing.T) { check(t, own.OpenFile(t, name), dev) })
	}
}

// TestOracleMethods compares every CPU level of this machine with values of the methods' authors. Released memory is filled with NaN.
func TestOracleMethods(t *testing.T) {
	for _, level := range tensor.CPULevels() {
		t.Run(level, func(t *testing.T) {
			dev := tensor.CPULevel(level)
			dev.SetPoison(true)
			runMethods(t, dev)
		})
	}
}
