package main

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/report/mappage"
	"github.com/gobeit/gobeit/nn/state/plain"
	"github.com/gobeit/gobeit/tensor"
)

// mapCmd is "beit map".
type mapCmd struct {
	modelArg `set:"model_is=Backbone or classifier"`
	imagesArg
	mapPartFlag
	exifFlag
	featureFlag
	indexFlag
	Out        string  `default:"map" placeholder:"DIR" help:"Folder of a page and lists of files to make (${default}). One that this command made is replaced."`
	Clusters   int     `placeholder:"K" help:"Clusters of k-means (by the number of images, at most 30)."`
	Neighbours int     `default:"20" placeholder:"N" help:"Neighbours that outliers are far from, and that vote about labels (${default})."`
	Subset     int     `default:"100" placeholder:"N" help:"Images of the diverse subset (${default})."`
	Threshold  float64 `placeholder:"F" help:"Cosine from which images are near-duplicates without being copies (by the cosines of all images to their nearest)."`
	Thumbnails int     `default:"20000" placeholder:"N" help:"The most images that have a thumbnail on the map (${default})."`
	Seed       uint64  `default:"1" placeholder:"N" help:"Seed of k-means (${default})."`
}

// mapPartFlag chooses images.
type mapPartFlag struct {
	Part string `enum:"all,train,val" default:"all" help:"Which part, where there are train/ and val/: all, train or val."`
}

// Limits of flags.
const (
	mostClusters   = 10_000
	mostNeighbours = 1000
)

// mapMaker is the command by which a folder knows who made it.
const mapMaker = "beit map"

func (c *mapCmd) check() error {
	switch {
	case c.Out == "":
		return usagef("--out: name the folder")
	case c.Clusters < 0 || c.Clusters > mostClusters:
		return usagef("--clusters %d: must be in [1, %d]", c.Clusters, mostClusters)
	case c.Neighbours < 1 || c.Neighbours > mostNeighbours:
		return usagef("--neighbours %d: must be in [1, %d]", c.Neighbours, mostNeighbours)
	case c.Subset < 1:
		return usagef("--subset %d: must be at least 1", c.Subset)
	case !(c.Threshold >= 0 && c.Threshold <= 1):
		return usagef("--threshold %g: must be in (0, 1]", c.Threshold)
	case c.Thumbnails < 0:
		return usagef("--thumbnails %d: must not be negative", c.Thumbnails)
	}
	if err := c.indexFlag.check(); err != nil {
		return err
	}
	if err := c.imagesArg.check(); err != nil {
		return err
	}
	if err := report.CheckFolder(c.Out, mapMaker); err != nil {
		return usageError{err}
	}
	return nil
}

// Run makes the map.
func (c *mapCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	enc, err := openWith(a, c.modelArg, backbones, infer.OpenEncoder)
	if err != nil {
		return err
	}
	defer enc.Close()
	images, err := c.exifFlag.openImages(enc.Config(), enc.ImageSize(), c.named()...)
	if err != nil {
		return err
	}
	defer images.Close()
	images.Tell(newReporter(a.errOut))
	parts, err := c.parts(images)
	if err != nil {
		return err
	}
	x, err := c.indexFlag.open(a, enc, c.over(enc.Config()), c.named())
	if err != nil {
		return err
	}
	m := mapping{a: a, dir: c.Out, page: &mappage.Content{Path: images.Path, Model: c.Model, Feature: fmt.Sprintf("%s, %d numbers", c.Feature, enc.Dim())}}
	for _, p := range parts {
		if err := m.encode(x, p, c.of); err != nil {
			return err
		}
	}
	if err := m.look(c.Thumbnails); err != nil {
		return err
	}
	if err := m.explore(c.options(len(m.page.Names))); err != nil {
		return err
	}
	err = report.WriteFolder(c.Out, mapMaker, func(temp string) error { return mappage.Write(a.ctx, temp, m.page) })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, plain.Text(filepath.Join(c.Out, "index.html")))
	return err
}

// mapPart is a part of the images.
type mapPart struct {
	ds  data.Dataset
	val bool
}

// parts are those that are wanted. Only where both are, one is that of validation images.
func (f mapPartFlag) parts(images *method.Images) ([]mapPart, error) {
	switch {
	case f.Part == "val" && images.Val == nil:
		return nil, usagef("--part val: %s has no folder val beside a folder train", images.Path)
	case f.Part == "val":
		return []mapPart{{images.Val, false}}, nil
	case f.Part == "train" || images.Val == nil:
		return []mapPart{{images.Train, false}}, nil
	}
	return []mapPart{{images.Train, false}, {images.Val, true}}, nil
}

// options are those of a map of n images.
func (c *mapCmd) options(n int) explore.Options {
	o := explore.Options{Clusters: c.Clusters, Neighbours: c.Neighbours, Subset: c.Subset, Threshold: c.Threshold, Seed: c.Seed}
	if o.Clusters == 0 {
		o.Clusters = min(max(int(math.Sqrt(float64(n)/2)), 2), 30)
	}
	return o
}

// mapping is a map under way.
type mapping struct {
	a       *app
	page    *mappage.Content
	dir     string
	set     explore.Set
	vectors []float32
	at      []imageAt // of each image on the map
}

// imageAt is where an image is.
type imageAt struct {
	ds    data.Dataset
	index int
}

// encode adds the images of a part.
func (m *mapping) encode(x *indexedEncoder, p mapPart, of func(infer.Features) []float32) error {
	if classes := p.ds.Classes(); classes != nil { // validation images may lack labels
		m.set.Classes = classes
	}
	skipped, err := x.each(m.a, "map", p.ds, func(item infer.Item[infer.Features]) error {
		m.page.Names, m.page.Links = append(m.page.Names, item.Name), append(m.page.Links, linkTo(m.dir, p.ds, item.Index))
		m.set.Labels, m.set.Val = append(m.set.Labels, p.ds.Label(item.Index)), append(m.set.Val, p.val)
		m.vectors, m.at = append(m.vectors, of(item.Value)...), append(m.at, imageAt{p.ds, item.Index})
		return nil
	})
	m.page.Unreadable += skipped
	return err
}

// lookedAtOnce is how many images are decoded between two signs of progress.
const lookedAtOnce = 64

// look decodes all images once more: for what they look like, and for thumbnails of at most the given number, which are spread over all.
func (m *mapping) look(thumbnails int) error {
	n := len(m.at)
	m.set.Looks, m.page.Thumbs = make([]explore.Look, n), make([]mappage.Thumb, n)
	r := newReporter(m.a.errOut)
	defer r.clear()
	errs := make([]error, n)
	for lo := 0; lo < n; lo += lookedAtOnce {
		if err := m.a.ctx.Err(); err != nil {
			return err
		}
		tensor.ParallelFor(min(lookedAtOnce, n-lo), func(k int) {
			i := lo + k
			image, err := data.Transposed(m.at[i].ds, m.at[i].index)
			if err != nil {
				errs[i] = err
				return
			}
			m.set.Looks[i] = explore.LookAt(image)
			if thumbnails >= n || i*thumbnails/n < (i+1)*thumbnails/n {
				m.page.Thumbs[i] = mappage.NewThumb(image)
			}
		})
		for _, err := range errs[lo:min(lo+lookedAtOnce, n)] {
			if err != nil {
				return err
			}
		}
		r.Progress(method.Progress{Method: "map", Phase: "thumbnails", Done: min(lo+lookedAtOnce, n), Total: n})
	}
	return nil
}

// explore makes the map of the images.
func (m *mapping) explore(o explore.Options) (err error) {
	n := len(m.at)
	m.set.Vectors = tensor.FromSlice(tensor.CPU(), m.vectors, n, len(m.vectors)/n)
	r := newReporter(m.a.errOut)
	defer r.clear()
	o.Progress = func(phase string, done, total int) {
		r.Progress(method.Progress{Method: "map", Phase: phase, Done: done, Total: total})
	}
	m.page.Map, err = explore.Explore(m.a.ctx, m.set, o)
	m.page.Image = func(i int) (*data.RGB, error) { return data.Transposed(m.at[i].ds, m.at[i].index) }
	return err
}
