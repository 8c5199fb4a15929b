// Package bench is the suite of benchmarks that both `go test -bench . ./bench` and `beit bench` run: matrix products at the shapes of a
// ViT-B, the codebook lookup, and training steps.
//
//	for _, c := range bench.Suite() {
//		fmt.Println(bench.Measure(dev, c, 5))
//	}
//
// Names carry the shape as key=value. Times include waiting for the device. Cases build their inputs when they are run, and panic on
// nothing but a programmer's mistake. Run one at a time.
package bench
