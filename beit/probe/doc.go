// Package probe evaluates frozen features by a linear classifier (linear probe) and by k-nearest neighbours (k-NN).
//
//	p := probe.Pipeline(32)
//	train, err := probe.Extract(ctx, dev, src.Train, p, nil, probe.Backbone(model), probe.Pixels(32, 16, probe.PoolGrid))
//	if err != nil {
//		return err
//	}
//	val, err := probe.Extract(ctx, dev, src.Val, p, nil, probe.Backbone(model), probe.Pixels(32, 16, probe.PoolGrid))
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
// Features are extracted from images without augmentation. All extractors run on the same batches, so every image is decoded once. Layers
// trains a linear probe on every block, with augmentation.
//
// # Errors
//
// Images without labels, features that are not finite and a cancelled context are errors. Training and validation sets that do not belong
// together panic: their widths or numbers of classes differ.
//
// # Concurrency
//
// Functions may run at the same time. Results depend on features and seed only, not on the number of threads.
package probe
