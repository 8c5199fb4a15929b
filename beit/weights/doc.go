// Package weights opens published weights: BEiT models and tokenizers in the formats of the authors, timm and Hugging Face, the CLIP
// and DINO networks that are teachers of tokenizers, and DALL-E's encoder.
//
//	m, err := weights.Open("beitv2_base_patch16_224_pt1k_ft21kto1k.pth")
//	if err != nil {
//		return err
//	}
//	defer m.Close()
//	set := nn.NewSet()
//	net := beit.NewViT(set.Scope(), m.ViT)
//	fit, err := m.Fit(set.Params(), nil)   // strict: every parameter has its tensor, and every tensor its parameter
//	if err != nil {
//		return err
//	}
//	err = fit.Build(dev, set)
//
// Open infers the kind and the naming of a model from the names of its tensors, and its configuration from their shapes. Wrappers and owners may
// have put prefixes before the names, and another model may stand beside it: Model.Prefix and Rivals say so. What shapes do not tell is read from
// files beside the weights, such as config.json: activation, normalisation, names of classes. Model.Notes says what was taken and what assumed.
// A Model has its
// tensors under the authors' names, whatever the naming of the file. Hugging Face's files have separate queries, keys and values, and
// CLIP's projection transposed. Values are read when they are needed. Convert writes a model under any naming.
//
// Relative position bias tables and learned positions are resized if the network has another image size than the file.
//
// # Errors
//
// A file that has no model, that lacks something, or whose weights are not finite gives an error that names the file and the tensor.
// Shapes are compared before memory for the network is allocated.
//
// # Concurrency
//
// Several goroutines may read a Model at once. Close it after all reads.
package weights
