package weights

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
)

// HFConfig returns the config.json of the model for Hugging Face's transformers. classes are the names of a classifier's classes, or nil
// if they are unknown; a wrong number of them is an error. Keys that have the default value are left out. The result was tested with
// transformers 5.12.
func (m *Model) HFConfig(classes []string) ([]byte, error) {
	v := m.ViT
	c := map[string]any{
		"image_size": v.ImageSize, "patch_size": v.PatchSize, "num_channels": v.Channels, "hidden_size": v.Width, "num_hidden_layers": v.Depth,
		"num_attention_heads": v.Heads, "intermediate_size": int(math.Round(v.MLPRatio * float64(v.Width))), "hidden_act": actGELU,
		"layer_norm_eps": 1e-6, "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0,
	}
	describe := func(kind, architecture string) {
		c["model_type"], c["architectures"] = kind, []string{architecture}
	}
	switch m.Kind {
	case Classifier, MIM:
		describe("beit", "BeitForImageClassification")
		c["use_absolute_position_embeddings"] = v.AbsPos
		c["use_relative_position_bias"] = v.RelPos == beit.RelPosBlock
		c["use_shared_relative_position_bias"] = v.RelPos == beit.RelPosShared
		c["layer_scale_init_value"] = max(0, v.LayerScale)
		c["use_mean_pooling"] = v.MeanPool || m.Kind == MIM // without it a BeitModel needs a norm that the file does not have
		switch {
		case m.Kind == MIM:
			describe("beit", "BeitForMaskedImageModeling")
			c["use_mask_token"], c["vocab_size"] = true, m.MIM.Vocab
		case v.Classes == 0:
			describe("beit", "BeitModel")
		case classes != nil && len(classes) != v.Classes:
			return nil, fmt.Errorf("%s: names %d classes, and its head has %d outputs", m.file.Name(), len(classes), v.Classes)
		default:
			nameClasses(c, v.Classes, classes)
		}
	case Segmenter:
		describe("beit", "BeitForSemanticSegmentation")
		if err := m.describeSegmenter(c); err != nil {
			return nil, fmt.Errorf("%s: transformers cannot compute it: %w", m.file.Name(), err)
		}
		if n := m.Segmenter.Classes; classes != nil && len(classes) != n {
			return nil, fmt.Errorf("%s: names %d classes, and its head has %d outputs", m.file.Name(), len(classes), n)
		}
		nameClasses(c, m.Segmenter.Classes, classes)
	case DINO:
		describe("vit", "ViTModel")
		c["qkv_bias"], c["encoder_stride"] = true, v.PatchSize
	case CLIP:
		if m.CLIP.OutDim == 0 {
			return nil, fmt.Errorf("%s: no config.json can be written for a classifier made from CLIP's image encoder", m.file.Name())
		}
		describe("clip_vision_model", "CLIPVisionModelWithProjection")
		c["hidden_act"], c["layer_norm_eps"], c["projection_dim"] = m.CLIP.Activation(), 1e-5, m.CLIP.OutDim
		delete(c, "hidden_dropout_prob")
		delete(c, "attention_probs_dropout_prob")
		c["attention_dropout"] = 0
	default:
		return nil, fmt.Errorf("%s: no config.json can be written for a %s; name a file .safetensors in place of a folder", m.file.Name(), m.Kind)
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%s: config.json: %w", m.file.Name(), err)
	}
	return append(text, '\n'), nil
}

// nameClasses names n classes, by numbers where they have no names.
func nameClasses(c map[string]any, n int, classes []string) {
	names, ids := map[string]string{}, map[string]int{}
	for i := range n {
		name := "LABEL_" + strconv.Itoa(i)
		if classes != nil {
			name = classes[i]
		}
		names[strconv.Itoa(i)], ids[name] = name, i
	}
	c["id2label"], c["label2id"] = names, ids
}

// describeSegmenter adds the keys of a segmenter, or says what transformers 5.12.1 lacks for it: its head has the backbone's width, its neck the factors
// 4, 2, 1 and 1/2, and entry i of out_indices stands for block i-2, from 0, up to the depth.
func (m *Model) describeSegmenter(c map[string]any) error {
	s := m.Segmenter
	v := s.ViT
	taps, err := s.TapBlocks()
	switch {
	case s.Head != beit.HeadUperNet:
		return fmt.Errorf("its head is %q, not %q", s.Head, beit.HeadUperNet)
	case err != nil:
		return err
	case s.HeadChannels != v.Width:
		return fmt.Errorf("its head has %d channels, and its backbone a width of %d: they must be equal (segment.model.head_channels)", s.HeadChannels, v.Width)
	case v.PatchSize <= 8:
		return fmt.Errorf("patches of %d pixels need another neck: they must be larger than 8", v.PatchSize)
	case s.AuxChannels == 0:
		return fmt.Errorf("it has no auxiliary head (segment.model.aux_channels)")
	}
	indices := make([]int, len(taps))
	for i, tap := range taps {
		if indices[i] = tap + 2; indices[i] > v.Depth || i > 0 && tap == taps[i-1] {
			return fmt.Errorf("it sees the blocks %v of %d: transformers can see four that differ, up to block %d (beit segment train --taps hf)", taps, v.Depth, v.Depth-2)
		}
	}
	c["out_indices"], c["pool_scales"] = indices, []int{1, 2, 3, 6}
	c["use_auxiliary_head"], c["auxiliary_channels"], c["auxiliary_num_convs"], c["auxiliary_concat_input"] = true, s.AuxChannels, 1, false
	c["auxiliary_loss_weight"], c["semantic_loss_ignore_index"], c["use_mask_token"] = 0.4, 255, false
	c["use_absolute_position_embeddings"] = v.AbsPos
	c["use_relative_position_bias"] = v.RelPos == beit.RelPosBlock
	c["use_shared_relative_position_bias"] = v.RelPos == beit.RelPosShared
	c["layer_scale_init_value"] = max(0, v.LayerScale)
	return nil
}

// HFPreprocessor returns the preprocessor_config.json of a model that sees squares of size x size pixels: the largest central square of an
// image if whole, else the central part of 7/8 of it. Its class is CLIP's whatever the model is, because that one resizes the shorter side and
// crops.
func HFPreprocessor(size int, whole bool, norm data.Norm) ([]byte, error) {
	shorter := size
	if !whole {
		shorter = int(math.Round(float64(size) * 8 / 7))
	}
	const bicubic = 3 // of Pillow
	text, err := json.MarshalIndent(map[string]any{
		"image_processor_type": "CLIPImageProcessor", "do_convert_rgb": true,
		"do_resize": true, "size": map[string]int{"shortest_edge": shorter}, "resample": bicubic,
		"do_center_crop": true, "crop_size": map[string]int{"height": size, "width": size},
		"do_rescale": true, "rescale_factor": 1.0 / 255, "do_normalize": true, "image_mean": norm.Mean, "image_std": norm.Std,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("preprocessor_config.json: %w", err)
	}
	return append(text, '\n'), nil
}
