package weights

import (
	"errors"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
)

// Kind is the kind of model in a file of weights.
type Kind string

// The kinds of models. A Segmenter is a backbone with heads for semantic segmentation.
const (
	Classifier Kind = "classifier"
	MIM        Kind = "masked image model"
	Tokenizer  Kind = "tokenizer"
	Segmenter  Kind = "segmenter"
	CLIP       Kind = "CLIP"
	DINO       Kind = "DINO"
	DALLE      Kind = "DALL-E encoder"
)

// Naming says who named the tensors of a file.
type Naming string

// The namings. TIMM has the authors' names, without the buffers that follow from the window size.
const (
	Official Naming = "official"
	TIMM     Naming = "timm"
	HF       Naming = "hf"
)

// detect returns kind and naming for the names of a file's tensors.
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
	case starts("visual.conv1.", "visual.transformer.", "visual.class_embedding", "visual.ln_pre."):
		return CLIP, Official, nil
	case starts("encode_task_layer.", "quantize.", "encoder.blocks."):
		return Tokenizer, Official, nil
	case starts("decode_head.", "auxiliary_head.", "backbone.fpn"):
		return Segmenter, naming, nil
	case has(attentionBias) && starts("head.weight"):
		return Classifier, naming, nil
	case has(attentionBias):
		return DINO, Official, nil
	case starts("encoder.layer.", "vit.encoder.layer."):
		return DINO, HF, nil
	case starts("blocks.group_1."):
		return DALLE, Official, nil
	case starts("lm_head.", "cls_pt_layers."):
		return MIM, naming, nil
	case starts("patch_embed.", "beit.embeddings."):
		return Classifier, naming, nil
	}
	return "", "", errors.New("holds no model that is known here: wanted are tensors of BEiT, of its tokenizer, of CLIP, of DINO or of DALL-E's encoder, under the authors' names, timm's or Hugging Face's")
}

// bareBEiT reports whether names are those of Hugging Face's BeitModel, without the prefix "beit." of a model with a head. DINO's names
// differ by the lack of relative positions and LayerScale.
func bareBEiT(list []string) bool {
	return slices.ContainsFunc(list, func(n string) bool {
		return strings.HasPrefix(n, "encoder.layer.") && (strings.HasSuffix(n, ".lambda_1") || strings.HasSuffix(n, "."+tableName)) ||
			n == "encoder.relative_position_bias."+tableName
	})
}

// namesOf returns the names of a kind.
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

// attentionBias ends the names of biases of query, key and value together, which BEiT does not have.
const attentionBias = ".attn.qkv.bias"

// indexName is the buffer with the row of the relative position bias table for every pair of patches. It follows from the window size.
const indexName = "relative_position_index"

// batchesName is the buffer that counts the batches of a batch norm. With a fixed momentum nothing depends on it.
const batchesName = "num_batches_tracked"

// ignored reports whether a tensor of a file is not part of the network. Examples are other tensors of a checkpoint, CLIP's text encoder,
// teachers and losses of tokenizers, and DINO's projection head.
func ignored(k Kind, name string) bool {
	var prefixes []string
	switch k {
	case CLIP:
		return !hasPrefix(name, []string{"visual.", "visual_projection.", "head."}) &&
			(!strings.HasPrefix(name, "vision_model.") || strings.HasSuffix(name, ".position_ids"))
	case Classifier:
		prefixes = []string{"beit.embeddings.mask_token"} // left over from pretraining
	case Tokenizer:
		prefixes = []string{"loss", "teacher", "scaling"}
	case DINO:
		prefixes = []string{"pooler.", beit.DistillStudent, beit.DistillHeads, beit.DistillCenter}
	case Segmenter:
		prefixes = []string{"beit.embeddings.mask_token", "beit.layernorm.", "backbone.norm."} // no head sees what the last norm gives
	}
	return strings.HasPrefix(name, "train.") || hasPrefix(name, prefixes)
}
