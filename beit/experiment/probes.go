package experiment

import (
	"context"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/probe"
)

// Contender is a network whose features are probed beside those of others.
type Contender struct {
	Network   string
	Extractor probe.Extractor
}

// Pixels are the images themselves; their grid is that of 16 x 16 averages.
func Pixels(size int, pools ...probe.Pool) Contender {
	return Contender{"pixels", probe.Pixels(size, 16, pools...)}
}

// Teacher is the teacher of a tokenizer.
func Teacher(t beit.Teacher, pools ...probe.Pool) Contender {
	return Contender{"teacher " + t.Name(), probe.Teacher(t, pools...)}
}

// Sample is one kind of features of one network on both parts of the images.
type Sample struct {
	Network    string
	Train, Val probe.Features
}

// Extract computes the features of all contenders for images of a size, every image being read once.
func Extract(ctx context.Context, e Env, images *method.Images, size int, contenders []Contender) ([]Sample, error) {
	var list []Sample
	var extractors []probe.Extractor
	for _, c := range contenders {
		extractors = append(extractors, c.Extractor)
		for range c.Extractor.Names {
			list = append(list, Sample{Network: c.Network})
		}
	}
	part := func(ds data.Dataset) ([]probe.Features, error) {
		return probe.Extract(ctx, e.device(), ds, probe.Pipeline(size), e.skipped, extractors...)
	}
	fit, err := part(images.Train)
	if err != nil {
		return nil, err
	}
	val, err := part(images.Val)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Train, list[i].Val = fit[i], val[i]
	}
	return list, nil
}

// scores probes one kind of features by a linear classifier and by its 20 nearest neighbours.
func scores(ctx context.Context, e Env, s Sample, c probe.LinearConfig) (linear probe.LinearResult, knn probe.Score, err error) {
	if linear, err = probe.Linear(ctx, e.device(), s.Train, s.Val, c); err != nil {
		return linear, knn, err
	}
	knn, err = probe.KNN(ctx, e.device(), s.Train, s.Val, 20, 0.07)
	return linear, knn, err
}
