// Package weights opens the weights that others have published: BEiT models and tokenizers as the authors, timm and Hugging Face store
// them, and the CLIP and DINO networks that teach tokenizers.
//
//	m, err := weights.Open("beitv2_base_patch16_224_pt1k_ft21kto1k.pth")
//	if err != nil {
//		return err
//	}
//	defer m.Close()
//	set := nn.NewSet()
//	net := beit.NewViT(set.Scope(), m.ViT)
//	fit, err := m.Fit(set.Params(), false) // strict: every parameter has its tensor, and every tensor its parameter
//	if err != nil {
//		return err
//	}
//	err = fit.Build(dev, set)
//
// Open tells from the names of a file's tensors what it holds and who named them, and from their shapes how large the network is. A Model
// has its tensors under the authors' names, whoever named them: Hugging Face's files have queries, keys and values apart, and CLIP's
// projection transposed. Values stay in the file until they are wanted. Convert writes a model under any of the names.
//
// Tables of relative positions and learned positions are resized where a network has another picture size than the file.
//
// # Errors
//
// A file that is no model, that lacks something, or whose weights are not numbers gives an error that names the file and the tensor.
// Networks are compared with the file before memory is taken for them.
//
// # Concurrency
//
// A Model may be read by several goroutines at once. Close must come after all reads.
package weights
