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

// NormText is the name of a normalisation, or its numbers, as ParseNorm reads them.
func NormText(n data.Norm) string {
	if name, ok := NormName(n); ok {
		return name
	}
	three := func(v [3]float32) string { return fmt.Sprintf("%v,%v,%v", v[0], v[1], v[2]) }
	return three(n.Mean) + "/" + three(n.Std)
}

// ParseNorm is the normalisation of a name or of six numbers.
func ParseNorm(text string) (data.Norm, error) {
	if n, ok := norms[text]; ok {
		return n, nil
	}
	wrong := fmt.Errorf("%q is none of %s, nor mean and standard deviation such as 0.5,0.5,0.5/0.25,0.25,0.25", text, strings.Join(slices.Sorted(maps.Keys(norms)), ", "))
	mean, std, ok := strings.Cut(text, "/")
	if !ok {
		return data.Norm{}, wrong
	}
	var n data.Norm
	for _, part := range []struct {
		text string
		to   *[3]float32
	}{{mean, &n.Mean}, {std, &n.Std}} {
		numbers := strings.Split(part.text, ",")
		if len(numbers) != len(part.to) {
			return data.Norm{}, wrong
		}
		for i, number := range numbers {
			v, err := strconv.ParseFloat(strings.TrimSpace(number), 32)
			if err != nil {
				return data.Norm{}, wrong
			}
			part.to[i] = float32(v)
		}
	}
	return n, weights.CheckNorm(n)
}
