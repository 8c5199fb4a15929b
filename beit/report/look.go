package report

import (
	"context"
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/tensor"
)

// View says what Look opens.
type View struct {
	Device *tensor.Device // nil: the CPU
	Images int            // of validation, that the model is shown at most; 0: all
}

// missing is a part that says why something is not shown.
var missing = page.Template("missing", `<p class="note">{{text .}}</p>`)

// Look opens the images and the model of a run, for the parts of its page that need them: training images after augmentation, and what the model makes
// of the validation images. Where they cannot be opened, the page says why. Look fails only when ctx ends.
func (r *Run) Look(ctx context.Context, v View) error {
	if r.Method == nil {
		return nil
	}
	r.looked = nil
	c := r.located()
	c.Data.CacheMB = 0
	images, err := method.OpenImages(c, r.Method.ImageSize(c), nil)
	if err != nil {
		return r.lacks(ctx, "images", "Images", fmt.Errorf("the images of the run are not shown: %w", err))
	}
	defer images.Close()
	p, err := r.images(ctx, images, c)
	if err != nil {
		return r.lacks(ctx, "images", "Images", err)
	}
	r.looked = append(r.looked, p)
	if p, err = r.predictions(ctx, v, images, c); err != nil {
		return r.lacks(ctx, "predictions", "Predictions", fmt.Errorf("what the model makes of images is not shown: %w", err))
	}
	if p.Body != "" {
		r.looked = append(r.looked, p)
	}
	return nil
}

// lacks adds a part that says why it is empty, unless ctx has ended.
func (r *Run) lacks(ctx context.Context, id, title string, why error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	body, err := page.Execute(missing, why.Error())
	r.looked = append(r.looked, part{id, title, body})
	return err
}

// predictions are what the model makes of validation images; no part where it makes nothing that can be shown.
func (r *Run) predictions(ctx context.Context, v View, images *method.Images, c *config.Config) (part, error) {
	ds, of := images.Val, "validation"
	if ds == nil {
		ds, of = images.Train, "training"
	}
	shown := method.AtMost(ds, v.Images, c.Seed)
	told := fmt.Sprintf("Of %d %s images", shown.Len(), of)
	if shown.Len() < ds.Len() {
		told = fmt.Sprintf("Of %d %s images, chosen at random from %d", shown.Len(), of, ds.Len())
	}
	m, err := model.Open(r.Dir, r.options...)
	if err != nil {
		return part{}, err
	}
	defer m.Close()
	switch {
	case r.Method.Masking != nil:
		return r.masked(ctx, v, m, ds, c)
	case model.UseOf(m) == model.Codes:
		return r.codes(ctx, v, shown, told)
	case model.UseOf(m) == model.Classes:
		return r.classes(ctx, v, shown, told)
	}
	return part{}, nil
}

// streamShown separates the choice of images that are shown from other random numbers.
const streamShown uint64 = 0x73686f776e

// chosen are at most n of the numbers below all, at random and in order.
func chosen(n, all int, seed uint64) []int {
	list := tensor.NewRand(seed, streamShown).Perm(all)[:min(n, all)]
	slices.Sort(list)
	return list
}

// notes collects what is told.
type notes struct {
	method.Silent
	lines []string
}

func (n *notes) Notice(text string)  { n.lines = append(n.lines, text) }
func (n *notes) Warning(text string) { n.lines = append(n.lines, text) }

// classNames are the names of the classes of both parts, the order that of the first that has any.
func classNames(images *method.Images) []string {
	list := slices.Clone(images.Train.Classes())
	if images.Val != nil {
		for _, name := range images.Val.Classes() {
			if !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}
