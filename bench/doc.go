// Package bench has the benchmarks that both `go test -bench . ./bench` and `beit bench` run:
//
//	MatMul           matmuls in the shapes of a ViT-B, and square ones
//	CodebookLookup   the nearest code of each token; beside it a matmul with an argmax
//	Attention        multi-head attention, forward and backward
//	Conv             3 x 3 convolutions, forward and backward
//	TrainStep        training steps of a tokenizer and of a backbone
//
// # From the command line
//
//	go test -run '^$' -bench . ./bench                        # the default set: half a minute
//	go test -run '^$' -bench 'MatMul/m=1576' ./bench
//	go test -run '^$' -bench TrainStep -timeout 30m ./bench   # ViT-B steps too, which take seconds each
//	BEIT_CPU=avx2 go test -run '^$' -bench . ./bench          # another CPU level
//	BEIT_DEVICE=vulkan:0 go test -run '^$' -bench . ./bench   # another device, as --device names it
//	go test -run '^$' -bench . -cpu 1,2 -count 10 ./bench     # one thread, then two
//
// Vulkan drivers that run on a CPU take minutes: add -timeout 30m. Cases on request run if -bench names their benchmark. A case is measured for half a second, unless -benchtime says otherwise. Times include
// waiting for the device.
//
// Names have parameters as key=value, which benchstat takes apart: `benchstat -col /level FILE` has a column for each CPU level, and
// `benchstat -col /precision -filter .name:MatMul FILE` one for each precision. The level of a GPU is the kind of its matmuls. A precision has cases only where the
// device has code of its own for it.
//
// Units beside ns/op: GFLOP/s count the matmuls alone. %peak is their share of what as many CPU cores as there are threads can do in
// registers. tokens/s are vectors looked up, images/s those of a training step.
//
// # As a package
//
//	for _, c := range bench.Suite(tensor.CPU()) {
//		r, err := bench.Measure(ctx, c, 5)
//		if err != nil {
//			return err
//		}
//		fmt.Printf("%s  %.1f GFLOP/s\n", r.Name, r.GFLOPs)
//	}
//
// Cases make their inputs when they are run. TrainingSpeed says in a second what a device does while it trains a small network.
//
// # History
//
// Folder history has a file for each processor, with the figures of each release: `benchstat -col release FILE`. The script .ci/bench writes
// them, and compares the working tree with an older commit.
//
// # Errors
//
// Measure fails if its context is cancelled or the device fails. Only a programmer's mistake causes a panic.
//
// # Concurrency
//
// Run one case at a time: cases that run together slow each other down.
package bench
