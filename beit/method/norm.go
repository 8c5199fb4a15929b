package method

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/weights"
)

// Names of normalisations.
const (
	NormImageNet  = "imagenet"
	NormInception = "inception"
	NormCLIP      = "clip"
)

var norms = map[string]data.Norm{
	NormImageNet: data.ImageNet, NormInception: data.Inception, NormCLIP: {Mean: beit.CLIPMean, Std: beit.CLIPStd},
}

// NormName is the name of a normalisation; false where it has none.
func NormName(n data.Norm) (string, bool) {
	for name, norm := range norms {
		if norm == n {
			return name, true
		}
	}
	return "", false
}

// NormText is the name of a normalisation, or its numbers, as ParseBands reads them.
func NormText(n data.Norm) string {
	if name, ok := NormName(n); ok {
		return name
	}
	three := func(v [3]float32) string { return fmt.Sprintf("%v,%v,%v", v[0], v[1], v[2]) }
	return three(n.Mean) + "/" + three(n.Std)
}

// ParseBands is the normalisation of a name or of numbers: mean and standard deviation of red, green and blue, which other channels take in turn, or of
// each of so many channels. bands is nil unless raw is set, for images that keep the values of their files.
func ParseBands(text string, channels int, raw bool) (n data.Norm, bands *data.Bands, err error) {
	n, known := norms[text]
	if !known {
		if bands, err = parseNumbers(text); err != nil {
			return n, nil, err
		}
		if err := weights.CheckBands(bands); err != nil {
			return n, nil, err
		}
	}
	switch {
	case known || len(bands.Mean) == len(n.Mean):
		if !known {
			n = data.Norm{Mean: [3]float32(bands.Mean), Std: [3]float32(bands.Std)}
		}
		if bands = nil; raw {
			bands = data.BandsOf(n, channels)
		}
		return n, bands, nil
	case raw && len(bands.Mean) == channels:
		return data.Norm{}, bands, nil
	}
	return n, nil, fmt.Errorf("%q has %d means: wanted are 3, or one for each of %d channels", text, len(bands.Mean), channels)
}

// parseNumbers reads means and standard deviations, as many of each.
func parseNumbers(text string) (*data.Bands, error) {
	wrong := fmt.Errorf("%q is none of %s, nor mean and standard deviation such as 0.5,0.5,0.5/0.25,0.25,0.25", text, strings.Join(slices.Sorted(maps.Keys(norms)), ", "))
	mean, std, ok := strings.Cut(text, "/")
	if !ok {
		return nil, wrong
	}
	b := &data.Bands{}
	for _, part := range []struct {
		text string
		to   *[]float32
	}{{mean, &b.Mean}, {std, &b.Std}} {
		for number := range strings.SplitSeq(part.text, ",") {
			v, err := strconv.ParseFloat(strings.TrimSpace(number), 32)
			if err != nil {
				return nil, wrong
			}
			*part.to = append(*part.to, float32(v))
		}
	}
	if len(b.Mean) != len(b.Std) || len(b.Mean) > data.MaxChannels {
		return nil, wrong
	}
	return b, nil
}
