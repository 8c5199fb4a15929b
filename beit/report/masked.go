package report

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/report/patches"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

var maskedBody = page.Template("masked", `<p>Images as the network sees them, with the masks of validation hatched.
{{if .Codes}}In the third of each, a masked patch is shown again where the likeliest code is that of the tokenizer.{{else if .Pixels}}In the third of each, masked patches have the pixels that it predicts.{{if .Standardised}} Their mean and deviation are the image's.{{end}}{{else}}What it predicts of masked patches has no image.{{end}}</p>
{{with .Why}}<p class="note">{{text .}}</p>{{end}}
<div class="cards {{if or .Codes .Pixels}}three{{else}}two{{end}}">{{range .Images}}<figure class="card"><img class="pixels" src="{{.Whole}}" alt="{{text .Name}}"><figcaption>{{text .Name}}</figcaption></figure>
<figure class="card"><img class="pixels" src="{{.Masked}}" alt="with masked patches"><figcaption>{{.Hidden}} of {{.Patches}} patches are masked</figcaption></figure>
{{if .Predicted}}<figure class="card"><img class="pixels" src="{{.Predicted}}" alt="{{if $.Pixels}}with predicted pixels{{else}}with the patches predicted rightly{{end}}"><figcaption>{{if $.Pixels}}rebuilt{{else}}{{.Right}} of {{.Hidden}} codes are right{{end}}</figcaption></figure>
{{end}}{{end}}</div>`)

// maskedImage is an image with masked patches, and what was predicted of them.
type maskedImage struct {
	Name                     string
	Whole, Masked, Predicted template.URL
	Patches, Hidden, Right   int
}

// masked shows images as a network sees them that predicts masked patches, and which of its predictions are right.
func (r *Run) masked(ctx context.Context, v View, m *model.Model, ds data.Dataset, c *config.Config) (part, error) {
	masking := r.Method.Masking(c)
	content := struct {
		Codes, Pixels, Standardised bool
		Why                         string
		Images                      []maskedImage
	}{Codes: masking.Codes, Pixels: masking.Pixels, Standardised: masking.Standardised}
	predict, rebuild, done, err := r.openPredictions(v, m, c, masking)
	if err != nil {
		content.Codes, content.Pixels, content.Why = false, false, fmt.Sprintf("predictions are not shown: %v", err)
	}
	defer done()
	index := chosen(shownImages, ds.Len(), c.Seed)
	few := data.Subset(ds, index)
	loader, err := data.NewLoader(few, data.LoaderOptions{Batch: 1, Pipeline: r.Method.Eval(c), Sequential: true, MaxUnreadable: 1})
	if err != nil {
		return part{}, err
	}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return part{}, err
		}
		pixels, shape := b.Tensor(method.FieldImage)
		one := maskedImage{Name: few.Name(b.Index[0])}
		image, mask := data.FromFloat(pixels, shape[3], shape[2], m.Input.Norm), masking.Of(index[b.Index[0]])
		right := make([]bool, len(mask))
		if predict != nil {
			targets, _ := b.Tensor(method.FieldTarget)
			right = predict(pixels, targets, mask)
		}
		if err := one.draw(image, mask, right, m.Input.Grid, predict != nil); err != nil {
			return part{}, err
		}
		if rebuild != nil {
			if one.Predicted, err = small(rebuild(pixels, mask)); err != nil {
				return part{}, err
			}
		}
		content.Images = append(content.Images, one)
	}
	body, err := page.Execute(maskedBody, content)
	return part{"predictions", "Masked patches", body}, err
}

// openPredictions opens what shows predictions of the kind that masking says; nil are the others, and both after an error. done releases it.
func (r *Run) openPredictions(v View, m *model.Model, c *config.Config, masking method.Masking) (predict predictor, rebuild rebuilder, done func(), err error) {
	switch {
	case masking.Codes:
		predict, done, err = r.openPredictor(v, m, c)
	case masking.Pixels:
		rebuild, done, err = openRebuilder(v, m, masking)
	}
	if done == nil {
		done = func() {}
	}
	return predict, rebuild, done, err
}

// draw makes the images of one.
func (one *maskedImage) draw(image *data.RGB, mask, right []bool, grid int, predicted bool) (err error) {
	wrong := slices.Clone(mask)
	for p, on := range mask {
		one.Patches++
		if on {
			one.Hidden++
		}
		if on && right[p] {
			one.Right++
			wrong[p] = false
		}
	}
	if one.Whole, err = small(image); err != nil {
		return err
	}
	if one.Masked, err = hidden(image, mask, grid); err != nil || !predicted {
		return err
	}
	one.Predicted, err = hidden(image, wrong, grid)
	return err
}

// hidden is an image with some of its patches hatched.
func hidden(m *data.RGB, mask []bool, grid int) (template.URL, error) {
	m = data.Shrink(m, thumbnail)
	return inline(patches.Masked(m, grid, mask, m.W))
}

// predictor says of each patch of an image whether it is masked and the likeliest code is the tokenizer's. image is what the network sees, and
// target what the tokenizer does, of [1, 3, S, S].
type predictor func(image, target []float32, mask []bool) []bool

// openPredictor opens the network and the tokenizer whose codes it predicts. done releases both.
func (r *Run) openPredictor(v View, m *model.Model, c *config.Config) (predict predictor, done func(), err error) {
	dev := v.Device
	if dev == nil {
		dev = tensor.CPU()
	}
	upstream, err := r.Method.OpenUpstream(c, model.Opener(r.options...))
	if err != nil {
		return nil, nil, err
	}
	defer upstream.Close()
	var of *model.Model
	for _, u := range upstream {
		if u.Kind == weights.Tokenizer || u.Kind == weights.DALLE {
			of = u
		}
	}
	if of == nil {
		return nil, nil, errors.New("it has no tokenizer")
	}
	network, set, err := m.Build(dev)
	if err != nil {
		return nil, nil, err
	}
	mim, ok := network.(*beit.MIM)
	if !ok {
		set.Release()
		return nil, nil, fmt.Errorf("%s: predicts no codes", m.Path)
	}
	tokens, codebook, err := model.OpenCoder(dev, of, mim.Config.ViT, mim.Config.Vocab)
	if err != nil {
		set.Release()
		return nil, nil, fmt.Errorf("%s: is no network for the codes of the tokenizer that is there now: %w", m.Path, err)
	}
	done = func() { set.Release(); codebook.Release() }
	tape := autograd.NewTape(dev)
	upload := func(pixels []float32) *autograd.Var {
		side := int(math.Round(math.Sqrt(float64(len(pixels) / 3))))
		return tape.Own(tensor.FromSlice(dev, pixels, 1, 3, side, side))
	}
	return func(image, target []float32, mask []bool) []bool {
		right := make([]bool, len(mask))
		tape.NoGrad(func() {
			ctx := nn.Context{Tape: tape}
			codes := tokens.Codes(ctx, upload(target))
			defer codes.Release()
			given := codes.Ints()
			res := mim.Forward(ctx, upload(image), mask, beit.GivenCodes(given))
			logits := res.LogitsMIM.Value().Float32s()
			for row, p := range res.Rows.Ints() {
				right[p] = likeliest(logits[row*mim.Config.Vocab:(row+1)*mim.Config.Vocab]) == int(given[p])
			}
		})
		tape.Reset()
		return right
	}, done, nil
}

// likeliest is the place of the greatest value.
func likeliest(values []float32) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
