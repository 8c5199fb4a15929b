package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/figure"
	"github.com/gobeit/gobeit/beit/train"
)

// header returns what prints the header of a run in dir, before its first step.
func (r *reporter) header(m *method.Method, dir string) func(train.Preview) {
	return func(p train.Preview) {
		r.clear()
		printHeader(r.w, p, m, dir)
	}
}

// printHeader prints what is known of a run before its first step: names and values in two columns.
func printHeader(w io.Writer, p train.Preview, m *method.Method, dir string) error {
	pairs := [][2]string{
		{"method", fmt.Sprintf("%s, preset %s", m.Title, p.Preset)},
		{"device", fmt.Sprintf("%s, %d threads, precision %s", p.Device, p.Threads, p.Precision)},
		{"images", strings.Join(imageCounts(p), ", ")},
		{"parameters", millions(p.Parameters)},
		{"steps", stepsOf(p)},
	}
	if p.ImagesPerSecond > 0 {
		pairs = append(pairs, [2]string{"time", timeOf(p)})
	}
	pairs = append(pairs, [2]string{"memory", memoryOf(p.Memory)})
	if dir != "" {
		pairs = append(pairs, [2]string{"run folder", dir})
	}
	return printPairs(w, pairs...)
}

func imageCounts(p train.Preview) []string {
	list := []string{fmt.Sprintf("%d to train on", p.Train)}
	if p.Val > 0 {
		list = append(list, fmt.Sprintf("%d for validation", p.Val))
	}
	if p.Classes > 0 {
		list = append(list, fmt.Sprintf("%d classes", p.Classes))
	}
	return list
}

func stepsOf(p train.Preview) string {
	text := fmt.Sprintf("%d of %d images", p.StepsPerEpoch, p.Batch)
	if p.AccumulationSteps > 1 {
		text += fmt.Sprintf(" (%d at a time)", p.Batch/p.AccumulationSteps)
	}
	if p.Epochs == 0 {
		return text + " an epoch, as many as the budget allows"
	}
	if p.Epochs == 1 {
		return text + ", one epoch"
	}
	return text + fmt.Sprintf(" an epoch, %d epochs", p.Epochs)
}

func timeOf(p train.Preview) string {
	speed := fmt.Sprintf("%.3g images/s", p.ImagesPerSecond)
	if p.ImagesPerSecond >= 100 {
		speed = fmt.Sprintf("%.0f images/s", p.ImagesPerSecond)
	}
	if p.Seconds == 0 {
		return speed
	}
	return fmt.Sprintf("about %s at %s", figure.Duration(time.Duration(p.Seconds*float64(time.Second))), speed)
}

func memoryOf(m train.Memory) string {
	text := train.GiB(m.Needs)
	if m.Free > 0 {
		text += fmt.Sprintf(" of %s free", train.GiB(m.Free))
	}
	return text + fmt.Sprintf(": model %s, step %s", train.GiB(m.Model), train.GiB(m.Step))
}

// millions writes a number of parameters.
func millions(n int) string {
	if n < 1e6 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%.3g million", float64(n)/1e6)
}

// asFlags writes assignments as flags, where there are any for them.
func asFlags(set []string) string {
	var words []string
	for _, s := range set {
		key, value, _ := strings.Cut(s, "=")
		switch key {
		case "train.accumulation_steps":
			words = append(words, "--accumulation-steps "+value)
		case "train.checkpoint_activations":
			words = append(words, "--checkpoint-activations")
		default:
			words = append(words, "--set "+s)
		}
	}
	return strings.Join(words, " ")
}
