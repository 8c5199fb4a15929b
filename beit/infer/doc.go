// Package infer is for Go programs that use trained models. It opens model files and run folders, and computes codes, features or classes
// of images.
//
//	enc, err := infer.OpenEncoder("runs/backbone", infer.Options{})
//	if err != nil {
//		return err
//	}
//	defer enc.Close()
//	f, err := enc.Encode(img) // an image.Image of any size
//	if err != nil {
//		return err
//	}
//	fmt.Println(len(f.CLS), len(f.Mean))
//
// A Tokenizer, from tokenizer.safetensors, computes a code, one of K, for each patch of an image, and the cosine between the patch's vector and the
// code's. An Encoder, from backbone.safetensors, teacher.safetensors or autoencoder.safetensors, computes two vectors: the class token and the mean of the patch tokens. A
// Classifier, from classifier.safetensors, computes the probabilities of classes. Open takes any of these files, or a run folder.
//
// # What a model sees
//
// Tokenizer.Encode also tells how near each patch is to its code, and Tokenizer.OpenTeacher how well the decoder rebuilds the teacher's features.
// Tokenizer.Exemplars finds the patches that show codes best. A Predictor, from backbone.safetensors and its tokenizer, predicts the codes of
// masked patches. A Reconstructor, from autoencoder.safetensors, predicts their pixels. Attention, of every kind of model, gives the attention weights of a block; OpenAttention opens other networks for it too. Seen
// returns the part of an image that the model sees.
//
// # Images
//
// Any image.Image is accepted. The transform is that of evaluation: resize the shorter side to the model's size/0.875, then take the
// center crop. For models of small images the shorter side is resized to the size itself.
//
// Alpha is dropped. An EXIF orientation was lost when the program decoded the file. EncodeDataset reads package data's folders and
// archives instead.
//
// An image has the same codes and features alone and in a batch, bit by bit. It has them in a dataset too if its file is PNG or BMP.
// For others, decode with data.Decode to get the same: the decoders of package image round JPEG otherwise, and of GIF, TIFF and lossy WebP they
// lose what Pillow uses.
//
// # Errors
//
// A missing or damaged file, or one of the wrong kind, gives a one-line error that names the file and what is wanted. A nil or empty
// image gives an error with its index. After Close, every call fails with ErrClosed. No file and no image causes a panic. A model that was
// not opened, such as Encoder{} or nil, gives an error too, and what it tells of itself is zero.
//
// # Concurrency
//
// Many goroutines may use a model at once; results are the same as one after another. All share the process's worker pool
// (tensor.SetThreads). The memory of a call returns to the device's pool when the call ends. Close waits for running calls.
package infer
