// Package bench is the suite of benchmarks that both `go test -bench . ./bench` and `beit bench` run: matrix products at the shapes of a
// ViT-B, the codebook lookup, and training steps.
//
//	for _, c := range bench.Suite() {
//		r, err := bench.Measure(ctx, tensor.CPU(), c, 5)
//		if err != nil {
//			return err
//		}
//		fmt.Printf("%s  %.1f GFLOP/s\n", r.Name, r.GFLOPs)
//	}
//
// Names carry the shape as key=value. Times include waiting for the device. Cases build their inputs when they are run, and panic on
// nothing but a programmer's mistake; Measure fails when its context is cancelled or the device is. Run one at a time: cases that share
// the machine measure each other.
package bench
