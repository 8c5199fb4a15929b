package weights_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn/state"
)

// The names and shapes of published files, spelled out here from what is published about them and not from the models' own code.

// list is the tensors of a file.
type list []state.Named

func (l *list) add(dtype state.DType, name string, shape ...int) {
	*l = append(*l, state.Named{Name: name, DType: dtype, Shape: shape})
}

func (l *list) f32(name string, shape ...int) { l.add(state.F32, name, shape...) }

// affine adds weight and bias.
func (l *list) affine(name string, out int, in ...int) {
	l.f32(name+".weight", append([]int{out}, in...)...)
	l.f32(name+".bias", out)
}

// size is that of a network.
type size struct{ d, depth, heads, patch, grid int }

var (
	base  = size{768, 12, 12, 16, 14}
	large = size{1024, 24, 16, 16, 14}
	huge  = size{1280, 32, 16, 14, 16}
)

func (s size) table() []int { return []int{(2*s.grid-1)*(2*s.grid-1) + 3, s.heads} }

// beitBlock adds a block of BEiT.
func (l *list) beitBlock(prefix string, s size, gamma, table, index bool) {
	d := s.d
	if gamma {
		l.f32(prefix+"gamma_1", d)
		l.f32(prefix+"gamma_2", d)
	}
	l.affine(prefix+"norm1", d)
	l.f32(prefix+"attn.q_bias", d)
	l.f32(prefix+"attn.v_bias", d)
	if table {
		l.table(prefix+"attn.", s, index)
	}
	l.f32(prefix+"attn.qkv.weight", 3*d, d)
	l.affine(prefix+"attn.proj", d, d)
	l.affine(prefix+"norm2", d)
	l.affine(prefix+"mlp.fc1", 4*d, d)
	l.affine(prefix+"mlp.fc2", d, 4*d)
}

func (l *list) table(prefix string, s size, index bool) {
	l.f32(prefix+"relative_position_bias_table", s.table()...)
	if index {
		n := s.grid*s.grid + 1
		l.add(state.I64, prefix+"relative_position_index", n, n)
	}
}

func (l *list) embed(prefix string, s size, channels int) {
	l.f32(prefix+"cls_token", 1, 1, s.d)
	l.affine(prefix+"patch_embed.proj", s.d, channels, s.patch, s.patch)
}

// classifier is a fine-tuned model; timm's files have no index.
func classifier(s size, classes int, index bool) (l list) {
	l.embed("", s, 3)
	for i := range s.depth {
		l.beitBlock(fmt.Sprintf("blocks.%d.", i), s, true, true, index)
	}
	l.affine("fc_norm", s.d)
	l.affine("head", classes, s.d)
	return l
}

// pretrained is a model of masked image modelling with two aggregation blocks and 8192 codes.
func pretrained(s size) (l list) {
	l.embed("", s, 3)
	l.f32("mask_token", 1, 1, s.d)
	l.table("rel_pos_bias.", s, true)
	for i := range s.depth {
		l.beitBlock(fmt.Sprintf("blocks.%d.", i), s, true, false, false)
	}
	for i := range 2 {
		l.beitBlock(fmt.Sprintf("cls_pt_layers.%d.", i), s, true, false, false)
	}
	l.affine("norm", s.d)
	l.affine("lm_head", 8192, s.d)
	return l
}

// pretrainedV1 is a model of BEiT v1: one of BEiT v2 without patch aggregation.
func pretrainedV1(s size) list { return pretrained(s).without("cls_pt_layers") }

// withPositions is the model of BEiT v1 that was pretrained on ImageNet-1k: with absolute positions, without relative ones and LayerScale.
func withPositions(s size) list {
	l := pretrainedV1(s).without("rel_pos_bias").without("gamma_")
	l.f32("pos_embed", 1, s.grid*s.grid+1, s.d)
	return l
}

// dalle is the encoder of DALL-E's discrete VAE.
func dalle() (l list) {
	conv := func(name string, in, out, kernel int) {
		l.f32("blocks."+name+".w", out, in, kernel, kernel)
		l.f32("blocks."+name+".b", out)
	}
	conv("input", 3, 256, 7)
	for g, in := range []int{256, 256, 512, 1024} {
		out := 256 << g
		for _, block := range []string{"block_1", "block_2"} {
			name := fmt.Sprintf("group_%d.%s.", g+1, block)
			if in != out {
				conv(name+"id_path", in, out, 1)
			}
			conv(name+"res_path.conv_1", in, out/4, 3)
			conv(name+"res_path.conv_2", out/4, out/4, 3)
			conv(name+"res_path.conv_3", out/4, out/4, 3)
			conv(name+"res_path.conv_4", out/4, out, 1)
			in = out
		}
	}
	conv("output.conv", 2048, 8192, 1)
	return l
}

// tokenizer is a VQ-KD file.
func tokenizer(decoder, target int) (l list) {
	tower := func(prefix string, depth, channels, patch int) {
		s := base
		s.patch = patch
		l.embed(prefix, s, channels)
		l.f32(prefix+"pos_embed", 1, 197, s.d)
		for i := range depth {
			l.beitBlock(fmt.Sprintf("%sblocks.%d.", prefix, i), s, false, false, false)
		}
		l.affine(prefix+"fc_norm", s.d)
	}
	tower("encoder.", 12, 3, 16)
	tower("decoder.", decoder, 32, 1)
	l.affine("encode_task_layer.0", 768, 768)
	l.affine("encode_task_layer.2", 32, 768)
	l.affine("decode_task_layer.0", 768, 768)
	l.affine("decode_task_layer.2", target, 768)
	l.f32("quantize.embedding.weight", 8192, 32)
	l.f32("quantize.embedding.cluster_size", 8192)
	l.f32("quantize.embedding.embed_avg", 8192, 32)
	l.f32("quantize.embedding.initted", 1)
	l.f32("quantize.cluster_size", 8192)
	return l
}

// selfTrained adds the tensors of a tokenizer trained by the authors' code, which published files lack: teacher and scaling of images.
func selfTrained(l list) list {
	l.f32("scaling_layer.shift", 1, 3, 1, 1)
	l.f32("scaling_layer.scale", 1, 3, 1, 1)
	for _, t := range clip() {
		t.Name = "teacher_model." + t.Name
		l = append(l, t)
	}
	return l
}

// segmenter is a backbone with UperNet.
func segmenter(s size) (l list) {
	var back list
	back.embed("", s, 3)
	for i := range s.depth {
		back.beitBlock(fmt.Sprintf("blocks.%d.", i), s, true, true, true)
	}
	for _, name := range []string{"fpn1.0", "fpn1.3", "fpn2.0"} {
		back.affine(name, s.d, s.d, 2, 2)
	}
	bn := func(name string, n int) {
		back.affine(name, n)
		back.f32(name+".running_mean", n)
		back.f32(name+".running_var", n)
		back.add(state.I64, name+".num_batches_tracked")
	}
	bn("fpn1.1", s.d)
	for _, t := range back {
		t.Name = "backbone." + t.Name
		l = append(l, t)
	}
	conv := func(name string, out, in, k int) {
		l.f32(name+".conv.weight", out, in, k, k)
		back = nil
		bn(name+".bn", out)
		l = append(l, back...)
	}
	l.affine("decode_head.conv_seg", 150, s.d, 1, 1)
	for i := range 4 {
		conv(fmt.Sprintf("decode_head.psp_modules.%d.1", i), s.d, s.d, 1)
	}
	conv("decode_head.bottleneck", s.d, 5*s.d, 3)
	for i := range 3 {
		conv(fmt.Sprintf("decode_head.lateral_convs.%d", i), s.d, s.d, 1)
		conv(fmt.Sprintf("decode_head.fpn_convs.%d", i), s.d, s.d, 3)
	}
	conv("decode_head.fpn_bottleneck", s.d, 4*s.d, 3)
	l.affine("auxiliary_head.conv_seg", 150, 256, 1, 1)
	conv("auxiliary_head.convs.0", 256, s.d, 3)
	return l
}

// clip is OpenAI's ViT-B-16.pt: image and text encoder, half precision except for norms.
func clip() (l list) {
	half := func(name string, shape ...int) { l.add(state.F16, name, shape...) }
	half("positional_embedding", 77, 512)
	half("text_projection", 512, 512)
	l.f32("logit_scale")
	for _, name := range []string{"input_resolution", "context_length", "vocab_size"} {
		l.add(state.I64, name)
	}
	blocks := func(prefix string, d int) {
		for i := range 12 {
			p := fmt.Sprintf("%stransformer.resblocks.%d.", prefix, i)
			half(p+"attn.in_proj_weight", 3*d, d)
			half(p+"attn.in_proj_bias", 3*d)
			half(p+"attn.out_proj.weight", d, d)
			half(p+"attn.out_proj.bias", d)
			l.affine(p+"ln_1", d)
			half(p+"mlp.c_fc.weight", 4*d, d)
			half(p+"mlp.c_fc.bias", 4*d)
			half(p+"mlp.c_proj.weight", d, 4*d)
			half(p+"mlp.c_proj.bias", d)
			l.affine(p+"ln_2", d)
		}
	}
	half("visual.class_embedding", 768)
	half("visual.positional_embedding", 197, 768)
	half("visual.proj", 768, 512)
	half("visual.conv1.weight", 768, 3, 16, 16)
	l.affine("visual.ln_pre", 768)
	blocks("visual.", 768)
	l.affine("visual.ln_post", 768)
	blocks("", 512)
	l.f32("token_embedding.weight", 49408, 512)
	l.affine("ln_final", 512)
	return l
}

// clipHF is the same network at Hugging Face, with some tensors of the text encoder.
func clipHF() (l list) {
	l.f32("logit_scale")
	l.f32("text_model.embeddings.position_embedding.weight", 77, 512)
	l.add(state.I64, "text_model.embeddings.position_ids", 1, 77)
	l.affine("text_model.final_layer_norm", 512)
	l.f32("text_projection.weight", 512, 512)
	l.f32("visual_projection.weight", 512, 768)
	l.f32("vision_model.embeddings.class_embedding", 768)
	l.f32("vision_model.embeddings.patch_embedding.weight", 768, 3, 16, 16)
	l.f32("vision_model.embeddings.position_embedding.weight", 197, 768)
	l.add(state.I64, "vision_model.embeddings.position_ids", 1, 197)
	l.affine("vision_model.pre_layrnorm", 768)
	l.affine("vision_model.post_layernorm", 768)
	for i := range 12 {
		p := fmt.Sprintf("vision_model.encoder.layers.%d.", i)
		for _, name := range []string{"k_proj", "v_proj", "q_proj", "out_proj"} {
			l.affine(p+"self_attn."+name, 768, 768)
		}
		l.affine(p+"layer_norm1", 768)
		l.affine(p+"mlp.fc1", 3072, 768)
		l.affine(p+"mlp.fc2", 768, 3072)
		l.affine(p+"layer_norm2", 768)
	}
	return l
}

// vit adds the embedding and blocks of an ordinary vision transformer.
func (l *list) vit(s size) {
	d := s.d
	l.embed("", s, 3)
	l.f32("pos_embed", 1, s.grid*s.grid+1, d)
	for i := range s.depth {
		p := fmt.Sprintf("blocks.%d.", i)
		l.affine(p+"norm1", d)
		l.affine(p+"attn.qkv", 3*d, d)
		l.affine(p+"attn.proj", d, d)
		l.affine(p+"norm2", d)
		l.affine(p+"mlp.fc1", 4*d, d)
		l.affine(p+"mlp.fc2", d, 4*d)
	}
}

// dino is dino_vitbase16_pretrain.pth.
func dino() (l list) {
	l.vit(base)
	l.affine("norm", 768)
	return l
}

// maeFinetuned is mae_finetuned_vit_*.pth: the ordinary network with mean pooling, by facebookresearch/mae's models_vit.py.
func maeFinetuned(s size) (l list) {
	l.vit(s)
	l.affine("fc_norm", s.d)
	l.affine("head", 1000, s.d)
	return l
}

// dinoHF is facebook/dino-vitb16.
func dinoHF() (l list) {
	l.f32("embeddings.cls_token", 1, 1, 768)
	l.f32("embeddings.position_embeddings", 1, 197, 768)
	l.affine("embeddings.patch_embeddings.projection", 768, 3, 16, 16)
	for i := range 12 {
		p := fmt.Sprintf("encoder.layer.%d.", i)
		for _, name := range []string{"attention.attention.query", "attention.attention.key", "attention.attention.value", "attention.output.dense"} {
			l.affine(p+name, 768, 768)
		}
		l.affine(p+"intermediate.dense", 3072, 768)
		l.affine(p+"output.dense", 768, 3072)
		l.affine(p+"layernorm_before", 768)
		l.affine(p+"layernorm_after", 768)
	}
	l.affine("layernorm", 768)
	l.affine("pooler.dense", 768, 768)
	return l
}

// beitHF is a classifier of class BeitForImageClassification.
func beitHF(s size, classes int) (l list) {
	d := s.d
	l.f32("beit.embeddings.cls_token", 1, 1, d)
	l.affine("beit.embeddings.patch_embeddings.projection", d, 3, s.patch, s.patch)
	for i := range s.depth {
		p := fmt.Sprintf("beit.encoder.layer.%d.", i)
		l.f32(p+"lambda_1", d)
		l.f32(p+"lambda_2", d)
		l.affine(p+"attention.attention.query", d, d)
		l.f32(p+"attention.attention.key.weight", d, d)
		l.affine(p+"attention.attention.value", d, d)
		l.table(p+"attention.attention.relative_position_bias.", s, true)
		l.affine(p+"attention.output.dense", d, d)
		l.affine(p+"intermediate.dense", 4*d, d)
		l.affine(p+"output.dense", d, 4*d)
		l.affine(p+"layernorm_before", d)
		l.affine(p+"layernorm_after", d)
	}
	l.affine("beit.pooler.layernorm", d)
	l.affine("classifier", classes, d)
	return l
}

// beitModelHF is the network alone, as class BeitModel saves it.
func beitModelHF(s size) (l list) {
	for _, t := range beitHF(s, 1).without("classifier") {
		t.Name = strings.TrimPrefix(t.Name, "beit.")
		l = append(l, t)
	}
	l.f32("embeddings.mask_token", 1, 1, s.d)
	return l
}

// without drops tensors.
func (l list) without(part string) list {
	return slices.DeleteFunc(slices.Clone(l), func(t state.Named) bool { return strings.Contains(t.Name, part) })
}
