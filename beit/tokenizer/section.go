package tokenizer

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// Section is the part of the configuration that only this method has.
type Section struct {
	Teacher      string          `toml:"teacher" oneof:"hog hog-ref run clip dino pixels" help:"whose features the decoder rebuilds: HOG, the reference run's HOG, a model of a run, or a published CLIP or DINO network; pixels: it rebuilds the image itself"`
	TeacherRun   string          `toml:"teacher_run" path:"model" resume:"free" help:"file or run folder of the model that teaches, with run: a backbone, a classifier or a tokenizer, whose encoder teaches; with pixels, of the model that the perceptual loss looks through"`
	TeacherBlock int             `toml:"teacher_block" paper:"-" range:"[0,)" help:"with run, the block whose output teaches, from 1; 0: two thirds of the depth, rounded up"`
	TeacherFile  string          `toml:"teacher_file" path:"model" resume:"free" help:"file of the published network, with clip or dino"`
	Perceptual   float64         `toml:"perceptual" paper:"-" range:"[0,)" absent:"0" help:"with pixels, weight of the perceptual loss, by features of teacher_run; 0: none"`
	HOGEpsilon   float64         `toml:"hog_epsilon_per_pixel" paper:"-" range:"[0,)" absent:"0" help:"with hog and hog-ref, what each pixel of a cell adds to the norm of its histogram, for flat cells to have short ones; 0: as in MaskFeat"`
	KMeansTokens int             `toml:"kmeans_tokens" range:"[0,)" help:"k-means gathers batches until it has so many tokens, and 4 for each code at least; with augment none one epoch at most"`
	Reseed       bool            `toml:"reseed" help:"replace codes that are hardly used"`
	Model        beit.VQKDConfig `toml:"model"`
}

// SectionOf returns the section of a tokenizer's configuration.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	m := s.Model
	method.CheckViT(k, "tokenizer.model.encoder", m.Encoder)
	method.CheckViT(k, "tokenizer.model.decoder", m.Decoder)
	k.Numbers("tokenizer.model.codes", m.Codes, m.CodeDim)
	k.OneOf("data.augment", c.Data.Augment, config.AugmentCrop, config.AugmentPad, config.AugmentNone)
	k.Must(s.Teacher != teacherRun || s.TeacherRun != "", "tokenizer.teacher_run: name the run that teaches")
	k.Must(s.Perceptual == 0 || s.Teacher == teacherPixels, "tokenizer.perceptual = %g: the decoder rebuilds no pixels: set tokenizer.teacher=pixels", s.Perceptual)
	k.Must(s.Teacher != teacherPixels || s.TeacherRun == "" || s.Perceptual > 0, "tokenizer.teacher_run: pixels alone are compared: give the perceptual loss a weight, such as tokenizer.perceptual=1")
	k.Part("tokenizer.model", m.Check())
	method.CheckRGB(c, k, "tokenizer.model.encoder", m.Encoder)
	method.CheckPad(c, k, m.Encoder.ImageSize)
}

// RebuildsPixels says that the decoder rebuilds the image: no teacher has features then.
func (s *Section) RebuildsPixels() bool { return s.Teacher == teacherPixels }

// HasClassToken says that the teacher is a network with features of the whole image.
func (s *Section) HasClassToken() bool { return s.Teacher == teacherCLIP || s.Teacher == teacherDINO }

// Derive makes the decoder see the encoder's grid of codes.
func (s *Section) Derive() {
	if m := &s.Model; m.Encoder.PatchSize > 0 {
		rows, cols := m.Encoder.GridSize()
		m.Decoder.ImageSize, m.Decoder.PatchSize, m.Decoder.Channels = rows, 1, m.CodeDim
		if m.Decoder.ImageWidth = 0; !m.Encoder.Square() {
			m.Decoder.ImageWidth = cols
		}
	}
}

// FitImages makes the codebook one that so many images can fill.
func (s *Section) FitImages(to config.Few, free func(key string) bool) {
	if free("tokenizer.model.codes") {
		s.Model.Codes = min(s.Model.Codes, to.Codes)
	}
}
