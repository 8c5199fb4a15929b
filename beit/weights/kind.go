package weights

import (
	"errors"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
)

// Kind is what a file of weights holds.
type Kind string

// The kinds of models. A Segmenter is a backbone with what segmentation puts on top.
const (
	Classifier Kind = "classifier"
	MIM        Kind = "masked image model"
	Tokenizer  Kind = "tokenizer"
	Segmenter  Kind = "segmenter"
	CLIP       Kind = "CLIP"
	DINO       Kind = "DINO"
)

// Naming is whose names tensors have.
type Naming string

// The namings. TIMM has the authors' names, without the buffers that follow from the window's size.
const (
	Official Naming = "official"
	TIMM     Naming = "timm"
	HF       Naming = "hf"
)

// detect tells kind and naming from the names of tensors.
func detect(list []string) (Kind, Naming, error) {
	starts := func(prefixes ...string) bool {
		return slices.ContainsFunc(list, func(n string) bool {
			return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(n, p) })
		})
	}
	has := func(part string) bool {
		return slices.ContainsFunc(list, func(n string) bool { return strings.Contains(n, part) })
	}
	naming := Official
	switch {
	case starts("beit."):
		naming = HF
	case !has(indexName):
		naming = TIMM
	}
	switch {
	case starts("vision_model."):
		return CLIP, HF, nil
	case starts("visual."):
		return CLIP, Official, nil
	case starts("encode_task_layer.", "quantize.", "encoder.blocks."):
		return Tokenizer, Official, nil
	case starts("backbone.", "decode_head."):
		return Segmenter, naming, nil
	case has(".attn.qkv.bias"):
		return DINO, Official, nil
	case starts("encoder.layer.", "vit.encoder.layer."):
		return DINO, HF, nil
	case starts("lm_head.", "cls_pt_layers."):
		return MIM, naming, nil
	case starts("patch_embed.", "beit.embeddings."):
		return Classifier, naming, nil
	}
	return "", "", errors.New("holds no model that is known here: wanted are tensors of BEiT, of its tokenizer, of CLIP or of DINO, under the authors' names, timm's or Hugging Face's")
}

// bareBEiT says whether names are Hugging Face's of a BEiT network alone, which a model with a head has behind "beit.". DINO's are alike
// without relative positions and layer scale.
func bareBEiT(list []string) bool {
	return slices.ContainsFunc(list, func(n string) bool {
		return strings.HasPrefix(n, "encoder.layer.") && (strings.HasSuffix(n, ".lambda_1") || strings.HasSuffix(n, "."+tableName)) ||
			n == "encoder.relative_position_bias."+tableName
	})
}

// namesOf are the names of a kind.
func namesOf(k Kind) names {
	switch k {
	case CLIP:
		return clipNames
	case DINO:
		return dinoNames
	case MIM:
		return beitNames("layernorm.")
	case Segmenter:
		return segmenterNames()
	}
	return beitNames("beit.layernorm.")
}

// indexName is the buffer that says which row of a table of relative positions a pair of patches has. It follows from the window's size.
const indexName = "relative_position_index"

// beside says whether a tensor of a file is no part of such a model: a checkpoint's other tensors, the text's tower of CLIP, teachers and
// losses of tokenizers, heads that DINO was trained with.
func beside(k Kind, name string) bool {
	var prefixes []string
	switch k {
	case CLIP:
		return !hasPrefix(name, []string{"visual.", "visual_projection.", "head."}) &&
			(!strings.HasPrefix(name, "vision_model.") || strings.HasSuffix(name, ".position_ids"))
	case Classifier:
		prefixes = []string{"beit.embeddings.mask_token"} // of a network that was pretrained before
	case Tokenizer:
		prefixes = []string{"loss", "teacher", "scaling"}
	case DINO:
		prefixes = []string{"pooler.", beit.DistillStudent, beit.DistillHeads, beit.DistillCenter}
	}
	return strings.HasPrefix(name, "train.") || hasPrefix(name, prefixes)
}
