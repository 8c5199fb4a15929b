// Package data reads image datasets and makes batches of them for training and evaluation. It has datasets over folders, archives and lists of
// files, decoders, augmentation with the arithmetic of Pillow, and a loader that prefetches.
//
//	src, err := data.Open("images.tar", data.DefaultLimits)
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
// # Data flow
//
// A Dataset returns a Sample for each index: an Image, its label and perhaps a Mask. A Pipeline declares its outputs as fields, each with a name,
// a shape and a type, and writes them for one sample. A Loader collects the fields of several samples in a Batch.
//
// # Sources
//
// Open opens a folder, a .tar, .tar.gz or .zip file, a list of files or one image, and Join puts several together. Below Open is one small core: a
// file system of regular files (a folder, TarFS, ZipFS), a walk that finds the images in it and counts what it leaves out, and labels for what was
// found: by folders, by a table, by the metadata of Hugging Face, by the tables of ImageNet. A Survey says in a few lines what there is.
//
// Read errors that may pass, as those of a network, are tried again before an image counts as unreadable.
//
// # Shapes
//
// An image view is Float32 of shape (3, Size, Size), in the order red, green, blue, and (B, 3, Size, Size) in a batch. Views may be wider or narrower than
// they are high, and have other channels. RandomCrop, PadCrop, Eval and
// FineTune name a view as its View says, by default "image". The second view of pre-training, for the teacher or tokenizer, is called "target".
// MultiCrop names its crops "crop_0", "crop_1" and so on. A Pipeline of your own can output other shapes, and Int32 fields such as a mask (H, W).
//
// # Image formats
//
// JPEG, PNG, WebP, BMP, TIFF, Netpbm (PBM, PGM, PPM) and the first frames of GIF and animated WebP are decoded to 8-bit RGB. The content says what
// a file is, whatever its name. RegisterFormat adds others, and so does importing package heif. The pixels are those of Pillow's convert("RGB"), also in files that break the rules of their format, with
// these exceptions (package jpeg says what it does with JPEG files):
//
//   - Grey of 16 bits keeps its high byte, where Pillow makes everything above 255 white. In TIFF files it is inverted where 0 is white.
//   - Jumps, empty rows and odd literal runs in BMP files are those of the format, which Pillow 9.4 does not know.
//   - A PNG chunk that the pixels do not need may be damaged anywhere. A wrong Adler-32 does not matter where the chunks' own checksums are right.
//
// What is refused is refused by its name: PAM, and TIFF with CIELab, YCbCr outside JPEG, unusual numbers of bits, or rare compressions such as
// Zstandard. Of a JPEG, only the part that a crop needs is interpolated and converted. Parallel decodes wait for each other where they would take more than DecodeMemory together.
//
// # Channels and depth
//
// With the option Channels images keep the values that PNG and TIFF files store, of 1 to 16 channels and up to 16 bits: samples hold a *Raster. A View
// with Bands shows it, resized with real weights and normalised channel by channel. What changes colours needs RGB of 8 bits.
//
// # Masks
//
// With the option Masks samples have a Mask, the class of each pixel, read from a file beside the image. Package masks transforms both alike. A
// mask that does not fit ends a loader, for it says that the options are wrong.
//
// # Augmentation
//
// RandomCrop and PadCrop are used to train tokenizers and for masked image modelling, MultiCrop for self-distillation, FineTune for supervised
// training. FineTune includes RandAugment and random erasing. The operations of RandAugment are functions too: AutoContrast, Equalize, Rotate and so
// on. Mixing mixes the images and labels of a whole batch.
//
// # Errors
//
// A missing folder, a truncated archive, an image that cannot be decoded: each is an error of one line that names the file. The header of an image is
// checked against Limits before memory for its pixels is allocated. The loader leaves unreadable images out and reports them to
// LoaderOptions.Skipped. It fails only when too many are unreadable, of an epoch or of the part of one that was read.
//
// Wrong arguments panic, such as a batch of 0, a crop outside its image or the name of a field that does not exist.
//
// # Determinism
//
// The order of an epoch depends on the seed, the stream and the epoch alone, and the augmentation of an image also on its index. The number of threads
// therefore never changes a byte, and a run can start again at any batch.
//
// # Concurrency
//
// Datasets and pipelines may be used by several goroutines at once. An iteration over batches belongs to one goroutine.
package data
