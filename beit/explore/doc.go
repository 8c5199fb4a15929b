// Package explore looks at vectors of images, such as those of a backbone, or of codes: along which axes they differ most.
//
//	x := tensor.FromSlice(tensor.CPU(), vectors, n, d)
//	p, err := explore.PCA(x, 2)
//	if err != nil {
//		return err
//	}
//	at := p.Scores.Float32s() // two numbers for each vector: its place on a map
//
// # Shapes
//
// Vectors are the rows of a Float32 tensor [N, D] on the CPU. Functions do not change their inputs.
//
// # Errors
//
// Numbers that are not finite are an error. A wrong shape is the caller's mistake and panics.
//
// # Determinism
//
// Results depend on the vectors and the seed alone, and not on the number of threads.
//
// # Concurrency
//
// Functions may run at the same time.
package explore
