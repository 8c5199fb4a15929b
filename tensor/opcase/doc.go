// Package opcase is the one table of what the operations of package tensor compute. Each case carries its inputs, a plain
// float64 reference, a tolerance, the gradients' rule where there is one, and a FLOP count; the table drives the tests of
// every device, a device's self-test at start, and benchmarks.
//
//	for _, c := range opcase.Cases() {
//		if err := opcase.Check(dev, c); err != nil {
//			fmt.Println(err) // names the case, the output or gradient, the element and both numbers
//		}
//	}
//
// Check returns errors and panics only where the operation itself does. Everything here may be used by several goroutines.
package opcase
