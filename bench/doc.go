// Package bench has the benchmarks that both `go test -bench . ./bench` and `beit bench` run: matmuls in the shapes of a ViT-B, code
// lookups, and training steps.
//
//	for _, c := range bench.Suite() {
//		r, err := bench.Measure(ctx, tensor.CPU(), c, 5)
//		if err != nil {
//			return err
//		}
//		fmt.Printf("%s  %.1f GFLOP/s\n", r.Name, r.GFLOPs)
//	}
//
// Names have the shape as key=value. Times include waiting for the device. Cases make their inputs when they are run.
//
// # Errors
//
// Measure fails if its context is cancelled or the device fails. Only a programmer's mistake causes a panic.
//
// # Concurrency
//
// Run one case at a time: cases that run together slow each other down.
package bench
