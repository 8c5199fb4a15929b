package model

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/weights"
)

// Published is a published file of weights.
type Published struct {
	Short  string       `json:"short"` // what people call it
	Name   string       `json:"name"`  // of the file
	URL    string       `json:"url"`
	MB     int          `json:"about_mb,omitempty"` // size in megabytes, by its number of parameters; 0: not known
	SHA256 string       `json:"sha256,omitempty"`   // or its first digits, as far as they are published; empty if nothing is
	Kind   weights.Kind `json:"kind"`
	About  string       `json:"about"`
}

// ofAuthors is a file of the authors of BEiT v2.
func ofAuthors(short, name string, mb int, sum string, kind weights.Kind, about string) Published {
	return Published{short, name, "https://github.com/addf400/files/releases/download/BEiT-v2/" + name, mb, sum, kind, about}
}

// ofTimm is a classifier of timm.
func ofTimm(short, name string, mb int, about string) Published {
	url := "https://huggingface.co/timm/" + name + "/resolve/main/model.safetensors"
	return Published{short, name + ".safetensors", url, mb, "", weights.Classifier, about + " (timm)"}
}

// ofMAE is a file of facebookresearch/mae. Of it six digits of an MD5 sum are published, and none of a SHA-256 sum.
func ofMAE(short, path string, mb int, kind weights.Kind, about string) Published {
	return Published{short, path[strings.LastIndexByte(path, '/')+1:], "https://dl.fbaipublicfiles.com/mae/" + path, mb, "", kind, about + " (MAE)"}
}

const clipSum = "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f" // its URL holds it

// published are the published files that Open can read.
var published = []Published{
	ofAuthors("beitv2-base", "beitv2_base_patch16_224_pt1k.pth", 425, "", weights.MIM, "backbone, 1600 epochs"),
	ofAuthors("beitv2-base-300e", "beitv2_base_patch16_224_pt1k_300e.pth", 425, "", weights.MIM, "backbone, 300 epochs"),
	ofAuthors("beitv2-base-ft1k", "beitv2_base_patch16_224_pt1k_ft1k.pth", 346, "", weights.Classifier, "classifier, ImageNet-1k"),
	ofAuthors("beitv2-base-300e-ft1k", "beitv2_base_patch16_224_pt1k_300e_ft1k.pth", 346, "", weights.Classifier, "classifier, ImageNet-1k, from 300 epochs"),
	ofAuthors("beitv2-base-ft21k", "beitv2_base_patch16_224_pt1k_ft21k.pth", 410, "", weights.Classifier, "classifier, ImageNet-21k"),
	ofAuthors("beitv2-base-ft21kto1k", "beitv2_base_patch16_224_pt1k_ft21kto1k.pth", 346, "", weights.Classifier, "classifier, ImageNet-21k, then 1k"),
	ofAuthors("beitv2-base-ftade20k", "beitv2_base_patch16_224_pt1k_ftade20k.pth", 652, "", weights.Segmenter, "segmenter, ADE20k"),
	ofAuthors("beitv2-base-ft21ktoade20k", "beitv2_base_patch16_224_pt1k_ft21ktoade20k.pth", 652, "", weights.Segmenter, "segmenter, ImageNet-21k, then ADE20k"),
	ofAuthors("beitv2-large", "beitv2_large_patch16_224_pt1k.pth", 1347, "", weights.MIM, "backbone, 1600 epochs"),
	ofAuthors("beitv2-large-300e", "beitv2_large_patch16_224_pt1k_300e.pth", 1347, "", weights.MIM, "backbone, 300 epochs"),
	ofAuthors("beitv2-large-ft1k", "beitv2_large_patch16_224_pt1k_ft1k.pth", 1218, "", weights.Classifier, "classifier, ImageNet-1k"),
	ofAuthors("beitv2-large-300e-ft1k", "beitv2_large_patch16_224_pt1k_300e_ft1k.pth", 1218, "", weights.Classifier, "classifier, ImageNet-1k, from 300 epochs"),
	ofAuthors("beitv2-large-ft21k", "beitv2_large_patch16_224_pt1k_ft21k.pth", 1303, "", weights.Classifier, "classifier, ImageNet-21k"),
	ofAuthors("beitv2-large-ft21kto1k", "beitv2_large_patch16_224_pt1k_ft21kto1k.pth", 1218, "", weights.Classifier, "classifier, ImageNet-21k, then 1k"),
	ofAuthors("beitv2-large-ftade20k", "beitv2_large_patch16_224_pt1k_ftade20k.pth", 1762, "", weights.Segmenter, "segmenter, ADE20k"),
	ofAuthors("beitv2-large-ft21ktoade20k", "beitv2_large_patch16_224_pt1k_ft21ktoade20k.pth", 1762, "", weights.Segmenter, "segmenter, ImageNet-21k, then ADE20k"),
	ofAuthors("vqkd-clip", "vqkd_encoder_base_decoder_3x768x12_clip-d5036aa7.pth", 437, "d5036aa7", weights.Tokenizer, "tokenizer, taught by CLIP"),
	ofAuthors("vqkd-clip-small", "vqkd_encoder_base_decoder_1x768x12_clip-d93179da.pth", 381, "d93179da", weights.Tokenizer, "tokenizer, taught by CLIP, small decoder"),
	ofAuthors("vqkd-dino", "vqkd_encoder_base_decoder_1x768x12_dino-663c55d7.pth", 381, "663c55d7", weights.Tokenizer, "tokenizer, taught by DINO, small decoder"),
	ofTimm("timm-beitv2-base-in1k", "beitv2_base_patch16_224.in1k_ft_in1k", 346, "classifier, ImageNet-1k"),
	ofTimm("timm-beitv2-base-in22k", "beitv2_base_patch16_224.in1k_ft_in22k", 410, "classifier, ImageNet-22k"),
	ofTimm("timm-beitv2-base-in22k-in1k", "beitv2_base_patch16_224.in1k_ft_in22k_in1k", 346, "classifier, ImageNet-22k, then 1k"),
	ofTimm("timm-beitv2-large-in1k", "beitv2_large_patch16_224.in1k_ft_in1k", 1218, "classifier, ImageNet-1k"),
	ofTimm("timm-beitv2-large-in22k", "beitv2_large_patch16_224.in1k_ft_in22k", 1303, "classifier, ImageNet-22k"),
	ofTimm("timm-beitv2-large-in22k-in1k", "beitv2_large_patch16_224.in1k_ft_in22k_in1k", 1218, "classifier, ImageNet-22k, then 1k"),
	ofMAE("mae-base", "pretrain/mae_pretrain_vit_base.pth", 343, mae.Kind, "encoder, 1600 epochs"),
	ofMAE("mae-large", "pretrain/mae_pretrain_vit_large.pth", 1213, mae.Kind, "encoder, 1600 epochs"),
	ofMAE("mae-huge", "pretrain/mae_pretrain_vit_huge.pth", 2523, mae.Kind, "encoder, 1600 epochs"),
	ofMAE("mae-base-ft1k", "finetune/mae_finetuned_vit_base.pth", 346, weights.Classifier, "classifier, ImageNet-1k"),
	ofMAE("mae-large-ft1k", "finetune/mae_finetuned_vit_large.pth", 1217, weights.Classifier, "classifier, ImageNet-1k"),
	ofMAE("mae-huge-ft1k", "finetune/mae_finetuned_vit_huge.pth", 2528, weights.Classifier, "classifier, ImageNet-1k"),
	ofMAE("mae-large-visualize", "visualize/mae_visualize_vit_large.pth", 1318, mae.Kind, "with decoder, predicts raw pixels"),
	{"clip-vitb16", "ViT-B-16.pt", "https://openaipublic.azureedge.net/clip/models/" + clipSum + "/ViT-B-16.pt", 0, clipSum, weights.CLIP, "CLIP, a teacher"},
	{"dalle-encoder", "dalle_encoder.pkl", "https://cdn.openai.com/dall-e/encoder.pkl", 215, "", weights.DALLE, "DALL-E's encoder, for BEiT v1"},
	{"dino-vitb16", "dino_vitbase16_pretrain.pth", "https://dl.fbaipublicfiles.com/dino/dino_vitbase16_pretrain/dino_vitbase16_pretrain.pth", 343, "", weights.DINO, "DINO, a teacher, also for features"},
}

// PublishedFiles lists the published files that Open can read.
func PublishedFiles() []Published { return slices.Clone(published) }

// FindPublished returns the published file of a name: its short one, or that of the file, with or without the ending. Case does not count.
func FindPublished(name string) (Published, error) {
	if p, ok := publishedAs(name); ok {
		return p, nil
	}
	hint := "'beit pull' lists them"
	if near := nearPublished(name); near != "" {
		hint = near
	}
	return Published{}, fmt.Errorf("no published file is called %q; %s", name, hint)
}

// names are what a published file is called.
func (p Published) names() []string {
	return []string{p.Short, strings.TrimSuffix(p.Name, filepath.Ext(p.Name)), p.Name}
}

// sized are short names with the size of the encoder, which all published tokenizers share.
var sized = map[string]string{"vqkd-base-clip": "vqkd-clip", "vqkd-base-clip-small": "vqkd-clip-small", "vqkd-base-dino": "vqkd-dino"}

func publishedAs(name string) (Published, bool) {
	name = cmp.Or(sized[strings.ToLower(name)], name)
	for _, p := range published {
		if slices.ContainsFunc(p.names(), func(called string) bool { return strings.EqualFold(called, name) }) {
			return p, true
		}
	}
	return Published{}, false
}

// nearPublished says which published files were probably meant by a name that none has; empty where there is none.
func nearPublished(name string) string {
	var names, longer []string
	for _, p := range published {
		for _, called := range p.names()[:2] {
			names = append(names, called)
			if name != "" && strings.HasPrefix(called, name) {
				longer = append(longer, called)
			}
		}
	}
	if len(longer) > 0 {
		return "there are " + strings.Join(longer, ", ")
	}
	if near := config.Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}
