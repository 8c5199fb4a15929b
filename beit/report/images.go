package report

import (
	"context"
	"fmt"
	"html/template"
	"image"
	"strconv"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/tensor"
)

// How many images a page shows, and of each how many views.
const (
	shownImages = 6
	shownViews  = 3
)

var imagesBody = page.Template("images", `
{{template "facts" .Facts}}
{{range .Notes}}<p>{{text .}}</p>
{{end}}{{with .Classes.Rows}}<details><summary>{{len .}} classes</summary>{{template "table" $.Classes}}</details>
{{end}}<p>Training images, each followed by what the network sees of it: {{.Views}} draws of the augmentation.</p>
<div class="cards four">{{range .Samples}}
<figure class="card"><img class="pixels" src="{{.Image}}" alt="{{text .Name}}"><figcaption>{{text .Name}}</figcaption></figure>
{{range .Views}}<figure class="card"><img class="pixels" src="{{.}}" alt="augmented"></figure>
{{end}}{{end}}</div>`)

// sample is a training image, and views of it.
type sample struct {
	Name  string
	Image template.URL
	Views []template.URL
}

// images are the images that the run learns from.
func (r *Run) images(ctx context.Context, images *method.Images, c *config.Config) (part, error) {
	content := struct {
		Facts   []page.Fact
		Notes   []string
		Classes page.Table
		Samples []sample
		Views   int
	}{Views: shownViews, Classes: countClasses(images)}
	content.Facts = []page.Fact{{Name: "images", Value: images.Path}, {Name: "to train on", Value: strconv.Itoa(images.Train.Len())}}
	if images.Val != nil {
		content.Facts = append(content.Facts, page.Fact{Name: "for validation", Value: strconv.Itoa(images.Val.Len())})
	}
	var told notes
	images.Tell(&told)
	content.Notes = told.lines
	var err error
	if content.Samples, err = r.samples(ctx, images.Train, c); err != nil {
		return part{}, fmt.Errorf("images after augmentation are not shown: %w", err)
	}
	body, err := page.Execute(imagesBody, content)
	return part{"images", "Images", body}, err
}

// samples are some training images, as they are and as the network sees them.
func (r *Run) samples(ctx context.Context, ds data.Dataset, c *config.Config) ([]sample, error) {
	few := data.Subset(ds, chosen(shownImages, ds.Len(), c.Seed))
	loader, err := data.NewLoader(few, data.LoaderOptions{
		Batch: 1, Pipeline: r.Method.Train(c), Seed: c.Seed, Sequential: true, MaxUnreadable: 1,
	})
	if err != nil {
		return nil, err
	}
	var fields []data.Field
	for _, f := range r.Method.Train(c).Outputs() {
		if f.DType == tensor.Float32 && len(f.Shape) == 3 && f.Shape[0] == 3 && f.Name != method.FieldTarget {
			fields = append(fields, f)
		}
	}
	norm := r.Method.Card(c).Input.Norm
	list := make([]sample, few.Len())
	for epoch := 0; len(fields) > 0 && epoch*len(fields) < shownViews; epoch++ {
		for b, err := range loader.Batches(ctx, epoch, 0) {
			if err != nil {
				return nil, err
			}
			for _, f := range fields {
				values, shape := b.Tensor(f.Name)
				one := &list[b.Index[0]]
				if len(one.Views) == shownViews {
					break
				}
				uri, err := small(data.FromFloat(values, shape[3], shape[2], norm))
				if err != nil {
					return nil, err
				}
				one.Views = append(one.Views, uri)
			}
		}
	}
	return named(few, list)
}

// named fills in names and whole images, and leaves out images that cannot be read.
func named(ds data.Dataset, list []sample) (whole []sample, err error) {
	for i, s := range list {
		m, err := data.Decoded(ds, i)
		if err != nil {
			continue
		}
		s.Name = ds.Name(i)
		if s.Image, err = small(m); err != nil {
			return nil, err
		}
		whole = append(whole, s)
	}
	return whole, nil
}

// Sides of images on a page, in pixels.
const (
	thumbnail = 224 // at most
	sharp     = 64  // up to which an image is kept without loss
)

// small is an image that fits on a page.
func small(m *data.RGB) (template.URL, error) { return inline(data.Shrink(m, thumbnail)) }

// inline is an image as part of the page.
func inline(m image.Image) (template.URL, error) {
	if size := m.Bounds().Size(); max(size.X, size.Y) <= sharp {
		return page.PNG(m)
	}
	return page.JPEG(m)
}

// countClasses says how many images each class has.
func countClasses(images *method.Images) page.Table {
	t := page.Table{Caption: "Images of each class", Tall: true, Columns: []page.Column{{Name: "class"}, {Name: "to train on", Number: true}}}
	parts := []data.Dataset{images.Train}
	if images.Val != nil {
		parts, t.Columns = append(parts, images.Val), append(t.Columns, page.Column{Name: "for validation", Number: true})
	}
	counts := make([]map[string]int, len(parts))
	for p, ds := range parts {
		counts[p] = map[string]int{}
		names := ds.Classes()
		for i := range ds.Len() {
			if l := ds.Label(i); l >= 0 && l < len(names) {
				counts[p][names[l]]++
			}
		}
	}
	for _, name := range classNames(images) {
		row := []any{name}
		for _, c := range counts {
			row = append(row, c[name])
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
