// Package masks trains and evaluates on images with masks: one geometric transform for both, and the metric of semantic segmentation. Package data reads
// the masks.
//
//	src, err := data.Open("ade20k", data.DefaultLimits, data.Masks(data.MaskOptions{Ignore: data.NoClass, ReduceZero: true}))
//	…
//	classes, _ := data.MaskClassesOf(src.Train)
//	loader, err := data.NewLoader(src.Train, data.LoaderOptions{Batch: 16, Seed: 1, Pipeline: masks.NewTrain(512, data.ImageNet)})
//	for batch, err := range loader.Batches(ctx, epoch, 0) {
//		images, shape := batch.Tensor(masks.FieldImage) // (B, 3, 512, 512)
//		labels, _ := batch.Ints(masks.FieldMask)        // (B, 512, 512), data.NoClass where a pixel has no class
//	}
//
//	metric := masks.NewMetric(len(classes.Names))
//	metric.Add(predicted, sample.Mask) // for each image, at its own size
//	fmt.Println(metric.Scores().MeanIoU)
//
// Images with three channels of 8 bits are transformed as in the recipe of UperNet on ADE20K: see Train. With Bands they may have other channels, or 16
// bits, and are not distorted in colour.
package masks
