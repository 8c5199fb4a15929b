package segment

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
)

// Section is the part of the configuration that only this method has.
type Section struct {
	Norm           string  `toml:"norm" help:"how pixels are normalised: imagenet, inception (to [-1, 1]), clip, or mean and standard deviation of red, green and blue, such as 0.5,0.5,0.5/0.25,0.25,0.25, or of each channel"`
	FreezeBackbone bool    `toml:"freeze_backbone" help:"only neck and head learn; with model.head = linear that measures the backbone's patch features"`
	LayerDecay     float64 `toml:"layer_decay" range:"(0,1]" help:"of the learning rate from a block to the one below; 1: none"`
	AuxWeight      float64 `toml:"aux_weight" range:"[0,)" help:"of the auxiliary head's loss"`
	LossMean       string  `toml:"loss_mean" oneof:"all valid" help:"what the cross-entropies of labelled pixels are divided by: the number of all pixels, as in published recipes, or of labelled ones"`
	ClassWeights   string  `toml:"class_weights" help:"factors on the cross-entropy of each class: none, effective (by how many images its pixels would fill, with a mean of 1), or numbers, such as 1,2.5,0.5"`

	Masks     Masks                `toml:"masks"`
	Augment   Augment              `toml:"augment"`
	Inference Inference            `toml:"inference"`
	Model     beit.SegmenterConfig `toml:"model"`

	Unmasked bool `toml:"-"` // images are opened without masks
}

// Masks says what the values of mask files mean.
type Masks struct {
	Ignore     int    `toml:"ignore" range:"[-1,65535]" help:"value of pixels without a class; -1: none"`
	ReduceZero bool   `toml:"reduce_zero_label" help:"value 0 stands for no class and value k for class k-1, as in ADE20K"`
	Table      string `toml:"table" path:"file" resume:"free" help:"file with the names of the classes, and perhaps their colours, as r,g,b,name; empty: one beside the folders, if there is one"`
}

// Augment says how training shows images. Sides are before the random scale.
type Augment struct {
	Long     int     `toml:"long" range:"[1,)" help:"limit of the longer side that images are resized to, at a scale of 1, in training and in evaluation"`
	Short    int     `toml:"short" range:"[1,)" help:"limit of the shorter side"`
	MinScale float64 `toml:"min_scale" range:"(0,16]" help:"smallest random scale"`
	MaxScale float64 `toml:"max_scale" range:"(0,16]" help:"largest random scale"`
	MaxShare float64 `toml:"max_share" range:"[0,1]" help:"share of the labelled pixels of a crop that one class must stay below; 0: any crop"`
	Flip     bool    `toml:"flip" help:"mirror half of the images"`
	Distort  bool    `toml:"distort" help:"change brightness, contrast, saturation and hue of images at random; for red, green and blue with 8 bits"`
}

// Inference says how whole images are segmented.
type Inference struct {
	Mode   string `toml:"mode" oneof:"slide whole" help:"slide: windows of model.vit.image_size that overlap; whole: the image resized to one window, whatever its aspect"`
	Stride int    `toml:"stride" range:"[1,)" help:"pixels from a window to the next"`
}

// Values of keys.
const (
	meanAll   = "all"
	meanValid = "valid"

	weightsNone      = "none"
	weightsEffective = "effective"

	ModeSlide = "slide"
	ModeWhole = "whole"
)

// SectionOf returns the section of a segmenter's configuration.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	m := s.Model
	method.CheckViT(k, "segment.model.vit", m.ViT)
	k.Numbers("segment.model.head_channels", 9*m.HeadChannels, m.ViT.Width+4*m.HeadChannels)
	k.Numbers("segment.model.aux_channels", 9*m.AuxChannels, m.ViT.Width)
	k.OneOf("data.augment", c.Data.Augment, config.AugmentCrop, config.AugmentNone)
	k.Must(m.Classes <= data.MaxMaskClasses, "segment.model.classes = %d: must be at most %d", m.Classes, data.MaxMaskClasses)
	method.CheckChannels(c, k, "segment.model.vit", m.ViT, "segment.norm", s.Norm)
	method.CheckSquare(c, k, "segment.model.vit", m.ViT)
	k.Part("segment.model", m.Check())
	a := s.Augment
	k.Must(!c.Raw() || !a.Distort, "segment.model.vit.channels = %d, data.keep_16_bits = %v: distortion of colours needs red, green and blue with 8 bits: set segment.augment.distort to false",
		m.ViT.Channels, c.Data.Keep16Bits)
	k.Must(a.MinScale <= a.MaxScale, "segment.augment: min_scale = %g is above max_scale = %g", a.MinScale, a.MaxScale)
	k.Must(float64(max(a.Long, a.Short))*a.MaxScale <= maxSide, "segment.augment: sides of %g pixels: must be at most %d", float64(max(a.Long, a.Short))*a.MaxScale, maxSide)
	k.Must(s.Inference.Stride <= m.ViT.ImageSize, "segment.inference.stride = %d: must be at most the window of %d", s.Inference.Stride, m.ViT.ImageSize)
	if _, err := s.classWeights(); err != nil {
		k.Must(false, "segment.class_weights: %v", err)
	}
	micro := c.Train.Batch / max(c.Train.AccumulationSteps, 1)
	k.Must(m.Head != beit.HeadUperNet || micro > 1, "train.batch = %d in %d parts: batch norm of a single cell needs two images at a time", c.Train.Batch, c.Train.AccumulationSteps)
}

// maxSide is the longest side that images may be resized to.
const maxSide = 1 << 15

// KeepsEpochs says whether the run starts from trained weights.
func (s *Section) KeepsEpochs(c *config.Config) bool { return c.InitFrom != "" }

// normalisation is the one of the section; none where Check refuses it.
func (s *Section) normalisation(c *config.Config) (data.Norm, *data.Bands) {
	n, bands, err := method.ParseBands(s.Norm, s.Model.ViT.Channels, c.Raw())
	if err != nil {
		return data.Norm{}, nil
	}
	return n, bands
}

// Channels implements config.Channeled.
func (s *Section) Channels() int { return s.Model.ViT.Channels }

// classWeights are the numbers of class_weights; nil for its words.
func (s *Section) classWeights() ([]float32, error) {
	if s.ClassWeights == weightsNone || s.ClassWeights == weightsEffective {
		return nil, nil
	}
	var list []float32
	for _, part := range strings.Split(s.ClassWeights, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 32)
		if err != nil || !(v >= 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%q is none of %s, %s, nor a list of numbers that are not negative", s.ClassWeights, weightsNone, weightsEffective)
		}
		list = append(list, float32(v))
	}
	if n := s.Model.Classes; n > 0 && len(list) != n {
		return nil, fmt.Errorf("has %d numbers for %d classes", len(list), n)
	}
	return list, nil
}

// MaskOptions implements method.Masker.
func (s *Section) MaskOptions() (data.MaskOptions, bool) {
	return data.MaskOptions{Classes: s.Model.Classes, Ignore: s.Masks.Ignore, ReduceZero: s.Masks.ReduceZero, Table: s.Masks.Table}, !s.Unmasked
}

// WithoutMasks is a configuration by which images are opened without masks.
func WithoutMasks(c *config.Config) *config.Config {
	c = c.Clone()
	SectionOf(c).Unmasked = true
	return c
}
