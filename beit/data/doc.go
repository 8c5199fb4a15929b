// Package data feeds pictures to training: datasets over folders, .tar files and lists of files, decoding,
// augmentation with the arithmetic of the Python imaging library, and a loader that prefetches.
//
//	src, err := data.Open("pictures.tar", data.DefaultLimits)
//	if err != nil {
//		return err
//	}
//	defer src.Close()
//	loader, err := data.NewLoader(data.Cached(src.Train, 256<<20), data.LoaderOptions{
//		Batch: 128, Seed: 1, Pipeline: &data.RandomCrop{
//			Scale: [2]float64{0.08, 1}, Views: []data.View{{Size: 32, Filter: data.Bicubic, Norm: data.ImageNet}},
//		},
//	})
//	if err != nil {
//		return err
//	}
//	for batch, err := range loader.Batches(ctx, epoch, 0) {
//		if err != nil {
//			return err
//		}
//		values, shape := batch.Tensor("image") // (B, 3, 32, 32), valid until the next turn of the loop
//		train(values, shape, batch.Labels)
//	}
//
// # Pictures
//
// JPEG, PNG, WebP, BMP, TIFF and the first frame of GIF become 8-bit RGB, pixel for pixel as Pillow's convert("RGB") shows them, with three
// exceptions. The inverse DCT of JPEG is another one: a few values differ, by up to 4. Grey of 16 bits keeps its high byte, where Pillow
// turns everything above 255 white. The subsampled colour of a JPEG of four components (CMYK, YCCK) is repeated, not interpolated. Run-length
// coded BMP, CMYK and signed TIFF, animated WebP and JPEG of four components without Adobe's segment are not read, nor are .ppm and .pgm
// files. Of a JPEG, only the part that a crop needs is interpolated and converted.
//
// # Augmentation
//
// RandomCrop and PadCrop serve tokenizer and masked image modelling, MultiCrop self-distillation, FineTune supervised training: with RandAugment,
// whose fifteen operations are there by themselves too (AutoContrast, Equalize, Rotate and so on), and random erasing. Mixing mixes the
// pictures and labels of a whole batch.
//
// # Errors
//
// A missing folder, an archive cut short, a picture that cannot be decoded: each is an error of one
// line that names the file. Nothing is allocated for a picture before its header was checked against
// Limits. The loader leaves unreadable pictures out, names them to LoaderOptions.Skipped, and fails only when
// too many of an epoch are unreadable, or of the part of one that was read. Wrong arguments (a batch of 0, a crop outside its picture) panic.
//
// # Determinism
//
// The order of an epoch and the augmentation of a picture are pure functions of the seed, the stream,
// the epoch and the picture's index, so the number of threads never changes a byte and a run can start
// again at any batch.
//
// # Concurrency
//
// Datasets and pipelines may be used by several goroutines at once; an iteration over batches belongs
// to one.
package data
