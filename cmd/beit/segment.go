package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// segmentCmd groups the commands about semantic segmentation.
type segmentCmd struct {
	Train   segmentTrainCmd   `cmd:"" help:"Train a segmenter: UperNet, or a linear head, on a backbone."`
	Eval    segmentEvalCmd    `cmd:"" help:"Measure a segmenter on images with masks: mIoU, and the IoU of each class."`
	Predict segmentPredictCmd `cmd:"" help:"Write the classes of the pixels of images: as masks, in colours, over the image, and their areas as a table."`
}

// maskFlags say what the values of mask files mean.
type maskFlags struct {
	Ignore          *int   `placeholder:"N" help:"Value of pixels without a class (255); -1: none."`
	ReduceZeroLabel *bool  `negatable:"" help:"Value 0 of masks means no class, and value k class k-1, as in ADE20K."`
	MaskTable       string `placeholder:"FILE" help:"The names of the classes, and perhaps their colours: lines r,g,b,name."`
}

// assignments are the keys that the flags stand for.
func (f maskFlags) assignments() (list []string) {
	for _, s := range []setting{
		{"", "segment.masks.ignore", given(f.Ignore)}, {"", "segment.masks.reduce_zero_label", given(f.ReduceZeroLabel)}, {"", "segment.masks.table", f.MaskTable},
	} {
		if s.value != "" {
			list = append(list, s.key+"="+s.value)
		}
	}
	return list
}

// segmentTrainCmd is "beit segment train".
type segmentTrainCmd struct {
	runFlags
	maskFlags
	Taps           string `placeholder:"RULE" help:"Blocks whose patch tokens the head sees: official, hf, which transformers can read, or four numbers such as 3,5,7,11."`
	Head           string `placeholder:"NAME" help:"upernet, or linear: a 1x1 convolution on the last block."`
	HeadChannels   *int   `placeholder:"N" help:"Channels of the upernet head."`
	FreezeBackbone bool   `help:"Only the head learns: what the backbone's patches are worth, with --head linear."`
	ClassWeights   string `placeholder:"W" help:"Factors on the loss of each class: none, effective (rare classes count more), or numbers such as 1,2.5,0.5."`
}

// Run trains a segmenter.
func (c *segmentTrainCmd) Run(a *app) error {
	extra := c.maskFlags.assignments()
	for _, s := range []setting{
		{"", "segment.model.taps", c.Taps}, {"", "segment.model.head", c.Head}, {"", "segment.model.head_channels", given(c.HeadChannels)},
		{"", "segment.freeze_backbone", unless(false, c.FreezeBackbone)}, {"", "segment.class_weights", c.ClassWeights},
	} {
		if s.value != "" {
			extra = append(extra, s.key+"="+s.value)
		}
	}
	return c.run(a, segment.Method, extra...)
}

// segmenters are the models of these commands.
var segmenters = wanted{"a segmenter", []weights.Kind{weights.Segmenter}}

// viewFlags say how a segmenter is shown images.
type viewFlags struct {
	Taps   string `placeholder:"RULE" help:"Take these blocks in place of the model's: official, hf, as transformers does, or four numbers."`
	Whole  bool   `help:"Resize each image to one window, in place of windows that slide over it."`
	Stride *int   `placeholder:"N" help:"Pixels from a window to the next (two thirds of a window)."`
	Scales string `placeholder:"LIST" help:"Show each image at several scales and average, such as 0.5,0.75,1,1.25,1.5,1.75."`
	Flip   bool   `help:"Show each image mirrored as well, and average."`
}

// over are the settings of a view with the flags over them.
func (f viewFlags) over(v segment.View, side int) (segment.View, error) {
	if f.Whole {
		v.Mode = segment.ModeWhole
	}
	if f.Stride != nil {
		if v.Stride = *f.Stride; v.Stride < 1 || v.Stride > side {
			return v, usagef("--stride %d: must be from 1 to the window's %d", v.Stride, side)
		}
	}
	v.Flip = f.Flip
	var err error
	v.Scales, err = parseScales(f.Scales, f.Whole)
	return v, err
}

// parseScales reads the scales that images are shown at.
func parseScales(text string, whole bool) (list []float64, err error) {
	if text == "" {
		return nil, nil
	}
	if whole {
		return nil, usagef("--whole and --scales exclude each other")
	}
	for _, part := range strings.Split(text, ",") {
		scale, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(scale > 0 && scale <= maxScale) {
			return nil, usagef("--scales %s: must be numbers above 0 and up to %d", text, maxScale)
		}
		list = append(list, scale)
	}
	return list, nil
}

// maxScale is the largest scale that images can be shown at.
const maxScale = 16

// segmentEvalCmd is "beit segment eval".
type segmentEvalCmd struct {
	measureFlags `set:"model_is=Segmenter"`
	maskFlags
	viewFlags
	JSON bool `name:"json" help:"Print figures as JSON."`
}

// segmented is the result.
type segmented struct {
	Model   string           `json:"model"`
	Images  int              `json:"images"`
	Taps    []int            `json:"taps,omitempty"` // blocks from 0
	MeanIoU float64          `json:"miou"`
	MeanAcc float64          `json:"macc"`
	Pixels  float64          `json:"pixel_accuracy"`
	Classes []segmentedClass `json:"classes"`
}

// segmentedClass is one class. Shares are nil where a class has no pixels.
type segmentedClass struct {
	Name   string   `json:"name"`
	IoU    *float64 `json:"iou"`
	Acc    *float64 `json:"accuracy"`
	Pixels int64    `json:"pixels"`
}

// Run measures a segmenter on the validation images; where there are none, on all.
func (c *segmentEvalCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	r := newReporter(a.errOut)
	m, err := c.open(a, segmenters)
	if err != nil {
		return err
	}
	defer m.Close()
	t, err := segment.Build(a.dev, m, c.Taps)
	if err != nil {
		return err
	}
	defer t.Set.Release()
	view, err := c.viewFlags.over(t.View, t.Config.ViT.ImageSize)
	if err != nil {
		return err
	}
	cfg, err := c.configure(m.Config)
	if err != nil {
		return err
	}
	cfg.Data.CacheMB = 0 // each image is read once
	segment.SectionOf(cfg).Model.Classes = t.Config.Classes
	if err := override(r, cfg, c.maskFlags.assignments()); err != nil {
		return err
	}
	report, err := c.measure(a, t, view, cfg, r)
	r.clear()
	if err != nil {
		return err
	}
	result := c.result(t, report)
	if c.JSON {
		return printJSON(a.out, result)
	}
	return result.print(a.out)
}

// measure opens the images and measures.
func (c *segmentEvalCmd) measure(a *app, t *segment.Trained, view segment.View, cfg *config.Config, r *reporter) (segment.Report, error) {
	images, err := c.images(r, t.Model, cfg, segment.Method.ImageSize(cfg))
	if err != nil {
		return segment.Report{}, err
	}
	defer images.Close()
	val, note := validation(images, cfg)
	images.Tell(r)
	if told := images.Split && len(c.named()) == 0; note != "" && !told {
		r.Notice(note)
	}
	classes, ok := data.MaskClassesOf(val)
	if !ok {
		return segment.Report{}, usagef("%s: the images have no masks", cfg.Data.Path)
	}
	if n := t.Config.Classes; len(classes.Names) > n {
		return segment.Report{}, fmt.Errorf("%s: the masks have %d classes, and %s has %d", cfg.Data.Path, len(classes.Names), t.Model.Path, n)
	}
	env := experiment.EvalEnv(a.env(r), segment.Method, cfg, cfg.Data.Eval, nil, val)
	return segment.Evaluate(a.ctx, env, t.Segmenter, view, val, nil)
}

// result names the classes of a report.
func (c *segmentEvalCmd) result(t *segment.Trained, report segment.Report) segmented {
	s := segmented{
		Model: t.Model.Path, Images: report.Images, MeanIoU: report.MeanIoU, MeanAcc: report.MeanAcc, Pixels: report.PixelAcc, Taps: t.Taps(),
	}
	names := t.Names()
	number := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	for class := range report.IoU {
		s.Classes = append(s.Classes, segmentedClass{plain.Name(names[class]), number(report.IoU[class]), number(report.Acc[class]), report.Pixels[class]})
	}
	return s
}

func (s segmented) print(w io.Writer) error {
	percent := func(v float64) string { return fmt.Sprintf("%.2f %%", 100*v) }
	pairs := [][2]string{{"model", s.Model}, {"images", fmt.Sprint(s.Images)}}
	if s.Taps != nil {
		pairs = append(pairs, [2]string{"taps", strings.Trim(fmt.Sprint(s.Taps), "[]")})
	}
	pairs = append(pairs, [][2]string{{"mIoU", percent(s.MeanIoU)}, {"mean accuracy", percent(s.MeanAcc)}, {"pixel accuracy", percent(s.Pixels)}}...)
	if err := printPairs(w, pairs...); err != nil {
		return err
	}
	var table experiment.Table
	table.Add("class", "IoU", "accuracy", "pixels")
	share := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return percent(*v)
	}
	for _, class := range s.Classes {
		table.Add(class.Name, share(class.IoU), share(class.Acc), fmt.Sprint(class.Pixels))
	}
	return table.Print(w)
}
