// Package opcase is the table of test cases of all operations of package tensor. A case has inputs, a float64 reference, a tolerance, its
// gradient where there is one, and a FLOP count. The table drives the tests of every device, the
// check of a device by the command line, and the benchmarks.
//
//	for _, c := range opcase.Cases() {
//		if err := opcase.Check(dev, c); err != nil {
//			fmt.Println(err) // names the case, the output or gradient, the element and both numbers
//		}
//	}
//
// Check returns errors and panics only where the operation itself does. Everything here may be used by several goroutines.
package opcase
