// Package probe measures what frozen features are worth: a linear classifier trained on them, and a vote of nearest neighbours.
//
//	p := probe.Pipeline(32)
//	train, err := probe.Extract(ctx, dev, src.Train, p, nil, probe.Backbone(model), probe.Pixels(32, 16))
//	if err != nil {
//		return err
//	}
//	val, err := probe.Extract(ctx, dev, src.Val, p, nil, probe.Backbone(model), probe.Pixels(32, 16))
//	if err != nil {
//		return err
//	}
//	for i := range train {
//		linear, err := probe.Linear(ctx, dev, train[i], val[i], probe.LinearDefaults)
//		if err != nil {
//			return err
//		}
//		knn, err := probe.KNN(ctx, dev, train[i], val[i], 20, 0.07)
//		if err != nil {
//			return err
//		}
//		fmt.Println(train[i].Name, linear.Top1, knn.Top1)
//	}
//
// Features come from pictures that are not augmented. All pictures of a set pass through every extractor together, so they are decoded
// once.
//
// # Errors
//
// Pictures without labels, features that are not finite and a cancelled context are errors. Sets that do not belong together (other
// widths, other numbers of classes) panic.
//
// # Concurrency
//
// Functions may run at the same time; results depend on features and seed alone, never on the number of threads.
package probe
