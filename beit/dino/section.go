package dino

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// Section is the part of the configuration that only this method has.
type Section struct {
	Crops                   CropConfig         `toml:"crops"`
	WarmupTeacherTempEpochs int                `toml:"warmup_teacher_temp_epochs" range:"[0,)" help:"over which the teacher's temperature goes from start_temp to teacher_temp"`
	FreezeLastLayerEpochs   int                `toml:"freeze_last_layer_epochs" range:"[0,)" help:"in the beginning, in which the head's last layer learns nothing"`
	Model                   beit.DistillConfig `toml:"model"`
}

// CropConfig says what crops of an image student and teacher see, besides two large ones of the network's image size.
type CropConfig struct {
	Small     int     `toml:"small" range:"[0,64]" help:"small crops of an image"`
	SmallSize int     `toml:"small_size" range:"[1,)" help:"side that they are resized to"`
	Split     float64 `toml:"split" range:"(0,1]" help:"the largest area of a small crop and the smallest of a large one"`
}

// SectionOf returns the section of a configuration of this method.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	m := s.Model
	method.CheckViT(k, "dino.model.vit", m.ViT)
	k.Numbers("dino.model.hidden", m.Hidden, max(m.Hidden, m.ViT.Width))
	k.Numbers("dino.model.outputs", m.Outputs, m.Bottleneck)
	k.OneOf("data.augment", c.Data.Augment, config.AugmentMulti)
	k.Part("dino.model", m.Check())
	method.CheckRGB(c, k, "dino.model.vit", m.ViT)
	size, patch := s.Crops.SmallSize, m.ViT.PatchSize
	k.Must(size >= 1 && size <= m.ViT.ImageSize && patch > 0 && size%patch == 0,
		"dino.crops.small_size = %d: must be a multiple of dino.model.vit.patch_size = %d and at most image_size = %d", size, patch, m.ViT.ImageSize)
	split, least := s.Crops.Split, c.Train.MinCropScale
	k.Must(split >= least && split <= 1, "dino.crops.split = %g: must be between train.min_crop_scale = %g and 1", split, least)
}
