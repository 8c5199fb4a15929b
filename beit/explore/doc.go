// Package explore looks at images through the vectors that a backbone has for them, and at vectors such as codes: neighbours, clusters, maps in a plane,
// near-duplicates, outliers, labels that are probably wrong, diverse subsets.
//
//	x := tensor.FromSlice(tensor.CPU(), vectors, n, d)
//	m, err := explore.Explore(ctx, explore.Set{Vectors: x, Looks: looks, Labels: labels, Classes: classes, Val: val}, explore.Options{
//		Clusters: 20, Neighbours: 20, Subset: 100,
//	})
//	if err != nil {
//		return err
//	}
//	fmt.Println(m.Groups, m.Leaks, m.Outliers, m.Suspects, m.Subset)
//
// Each finding is a function of its own too: PCA, Nearest, KMeans, TSNE, Duplicates, Outliers, Suspects, Diverse. An Index keeps features in a file.
//
// # Shapes
//
// Vectors are the rows of a Float32 tensor [N, D] on the CPU. Where they are compared by their cosine, they are unit vectors: see Unit. Functions do not
// change their inputs. Memory is that of a copy of the vectors, of the neighbours, 8 bytes for each, and of a Look for each image, 800 bytes.
//
// # Errors
//
// Numbers that are not finite are an error, and so is a cancelled context. An index that is damaged, or of another model, is an error and never used.
// A wrong shape is the caller's mistake and panics.
//
// # Determinism
//
// Results depend on the vectors and the seed alone, and not on the number of threads.
//
// # Concurrency
//
// Functions may run at the same time. An Index belongs to one goroutine.
package explore
