// Package infer is for programs that only use a model: it opens what training left and turns pictures into codes or features.
//
//	enc, err := infer.OpenEncoder("runs/backbone", infer.Options{})
//	if err != nil {
//		return err
//	}
//	defer enc.Close()
//	f, err := enc.Encode(picture) // an image.Image of any size
//	if err != nil {
//		return err
//	}
//	fmt.Println(len(f.CLS), len(f.Mean))
//
// A Tokenizer, from tokenizer.safetensors, gives each patch of a picture one of K codes. An Encoder, from backbone.safetensors or
// teacher.safetensors, gives the picture two vectors: the class token and the mean of the patch tokens. A Classifier, from
// classifier.safetensors, gives it classes with probabilities. Open takes any of these files, or
// a run folder.
//
// # Pictures
//
// Any image.Image will do. It is scaled and cut as in evaluation: the shorter side becomes the model's size/0.875 and the central square
// remains, or for models of small pictures the largest central square is scaled to the model's size. Alpha is dropped, and an EXIF
// orientation was lost when the program decoded the file. EncodeDataset takes package data's folders and archives instead. A picture has
// the same codes and features alone and in a batch, to the last bit, and in a dataset, if its file is JPEG, PNG or BMP. Of GIF, TIFF and lossy
// WebP, what the image package decodes no longer tells all that Pillow goes by: take data.Decode, whose result is an image.Image, for the same.
//
// # Errors
//
// A file that is missing, damaged or of the wrong kind is an error of one line that names it and says what is wanted. So is a nil or empty
// picture, named by its index. After Close, ErrClosed. Nothing panics on account of a file or picture.
//
// # Concurrency
//
// Models may be used by many goroutines at once; results are the same as one after another. All share the process's worker pool
// (tensor.SetThreads), and the memory of a call goes back to the device's pool when it ends. Close waits for the calls under way.
package infer
