package weights

import (
	"strings"
)

// pair is the official and Hugging Face's name of a tensor, or of a group of tensors if it ends with a dot.
type pair struct{ official, hf string }

// joint is a tensor that Hugging Face stores as three: query, key and value.
type joint struct {
	official string
	hf       [3]string
}

// names are the two namings of a kind of model. block is the prefix of blocks, before the number, and second that of a decoder's, where there is
// one. inner and joints are tensors of a block, whole are all others.
type names struct {
	block  pair
	second pair
	whole  []pair
	inner  []pair
	joints []joint
}

// inBEiT are the tensors of a block of BEiT. The first five are those of DINO too.
var inBEiT = []pair{
	{"norm1.", "layernorm_before."}, {"norm2.", "layernorm_after."},
	{"attn.proj.", "attention.output.dense."}, {"mlp.fc1.", "intermediate.dense."}, {"mlp.fc2.", "output.dense."},
	{"attn.q_bias", "attention.attention.query.bias"}, {"attn.v_bias", "attention.attention.value.bias"},
	{"attn.relative_position_bias_table", "attention.attention.relative_position_bias.relative_position_bias_table"},
	{"attn.relative_position_index", "attention.attention.relative_position_bias.relative_position_index"},
	{"gamma_1", "lambda_1"}, {"gamma_2", "lambda_2"},
}

// qkv returns the weights or biases of query, key and value.
func qkv(kind string) joint {
	const of = "attention.attention."
	return joint{"attn.qkv." + kind, [3]string{of + "query." + kind, of + "key." + kind, of + "value." + kind}}
}

// beitNames are the names of BEiT. norm is the final norm, which has another name in Hugging Face's masked image model.
func beitNames(norm string) names {
	return names{
		block: pair{"blocks.", "beit.encoder.layer."},
		whole: []pair{
			{"cls_token", "beit.embeddings.cls_token"}, {"mask_token", "beit.embeddings.mask_token"},
			{"patch_embed.proj.", "beit.embeddings.patch_embeddings.projection."}, {"pos_embed", "beit.embeddings.position_embeddings"},
			{"rel_pos_bias.", "beit.encoder.relative_position_bias."},
			{"fc_norm.", "beit.pooler.layernorm."}, {"norm.", norm}, {"head.", "classifier."}, {"lm_head.", "lm_head."},
		},
		inner: inBEiT, joints: []joint{qkv("weight")},
	}
}

// segmenterNames are the names of a backbone with heads for segmentation.
func segmenterNames() names {
	n := beitNames("beit.layernorm.")
	n.block.official = "backbone." + n.block.official
	for i := range n.whole {
		n.whole[i].official = "backbone." + n.whole[i].official
	}
	for _, fpn := range []string{"fpn1.", "fpn2.", "fpn3.", "fpn4."} {
		n.whole = append(n.whole, pair{"backbone." + fpn, fpn})
	}
	for _, head := range []string{"decode_head.", "auxiliary_head."} {
		n.whole = append(n.whole, pair{head + "conv_seg.", head + "classifier."}, pair{head, head})
	}
	return n
}

// dinoNames are those of DINO, and of MAE, whose encoder has the same names and which has a decoder.
var dinoNames = names{
	block: pair{"blocks.", "encoder.layer."}, second: pair{"decoder_blocks.", "decoder.decoder_layers."},
	whole: []pair{
		{"cls_token", "embeddings.cls_token"}, {"pos_embed", "embeddings.position_embeddings"},
		{"patch_embed.proj.", "embeddings.patch_embeddings.projection."}, {"norm.", "layernorm."},
		{"mask_token", "decoder.mask_token"}, {"decoder_pos_embed", "decoder.decoder_pos_embed"}, {"decoder_embed.", "decoder.decoder_embed."},
		{"decoder_norm.", "decoder.decoder_norm."}, {"decoder_pred.", "decoder.decoder_pred."},
	},
	inner: inBEiT[:5], joints: []joint{qkv("weight"), qkv("bias")},
}

// clipProjection is the only tensor that Hugging Face stores transposed.
const clipProjection = "visual.proj"

var clipNames = names{
	block: pair{"visual.transformer.resblocks.", "vision_model.encoder.layers."},
	whole: []pair{
		{"visual.class_embedding", "vision_model.embeddings.class_embedding"},
		{"visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"},
		{"visual.conv1.", "vision_model.embeddings.patch_embedding."},
		{"visual.ln_pre.", "vision_model.pre_layrnorm."}, // sic
		{"visual.ln_post.", "vision_model.post_layernorm."}, {clipProjection, "visual_projection.weight"},
	},
	inner: []pair{
		{"ln_1.", "layer_norm1."}, {"ln_2.", "layer_norm2."}, {"attn.out_proj.", "self_attn.out_proj."},
		{"mlp.c_fc.", "mlp.fc1."}, {"mlp.c_proj.", "mlp.fc2."},
	},
	joints: []joint{
		{"attn.in_proj_weight", [3]string{"self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"}},
		{"attn.in_proj_bias", [3]string{"self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"}},
	},
}

// replace replaces the beginning of a name that equals one of the pairs on side from.
func replace(name string, pairs []pair, from, to func(pair) string) (string, bool) {
	for _, p := range pairs {
		if name == from(p) && !strings.HasSuffix(name, ".") {
			return to(p), true
		}
		if rest, ok := strings.CutPrefix(name, from(p)); ok && strings.HasSuffix(from(p), ".") {
			return to(p) + rest, true
		}
	}
	return "", false
}

func official(p pair) string { return p.official }
func hf(p pair) string       { return p.hf }

// inBlock splits a name into the number of the block with a dot, and the rest.
func inBlock(name, block string) (number, rest string, ok bool) {
	if rest, ok = strings.CutPrefix(name, block); !ok {
		return "", "", false
	}
	number, rest, ok = strings.Cut(rest, ".")
	return number + ".", rest, ok
}

// blocks are the prefixes of blocks.
func (n names) blocks() []pair {
	if n.second == (pair{}) {
		return []pair{n.block}
	}
	return []pair{n.block, n.second}
}

// fromHF returns the official name for one of Hugging Face's. third is 1, 2 or 3 if it is the query, key or value of that tensor, else 0.
func (n names) fromHF(name string) (to string, third int, ok bool) {
	for _, block := range n.blocks() {
		number, rest, ok := inBlock(name, block.hf)
		if !ok {
			continue
		}
		prefix := block.official + number
		for _, j := range n.joints {
			for i, part := range j.hf {
				if rest == part {
					return prefix + j.official, i + 1, true
				}
			}
		}
		rest, ok = replace(rest, n.inner, hf, official)
		return prefix + rest, 0, ok
	}
	to, ok = replace(name, n.whole, hf, official)
	return to, 0, ok
}

// toHF returns Hugging Face's name, or three names, for an official name. It returns nil if there is none.
func (n names) toHF(name string) []string {
	for _, block := range n.blocks() {
		number, rest, ok := inBlock(name, block.official)
		if !ok {
			continue
		}
		prefix := block.hf + number
		for _, j := range n.joints {
			if rest == j.official {
				return []string{prefix + j.hf[0], prefix + j.hf[1], prefix + j.hf[2]}
			}
		}
		if rest, ok = replace(rest, n.inner, official, hf); ok {
			return []string{prefix + rest}
		}
		return nil
	}
	if to, ok := replace(name, n.whole, official, hf); ok {
		return []string{to}
	}
	return nil
}
