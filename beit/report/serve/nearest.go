package serve

import (
	"errors"
	"fmt"
	"html/template"
	"image"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/nn/state/plain"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// indexName is the file in a run folder with the features of images, as "beit map --index" writes it.
const indexName = "images.index"

// topNearest is how many images are found, and thumbSide the longest side that they are shown with.
const (
	topNearest = 6
	thumbSide  = 160
)

// near is an image that resembles another.
type near struct {
	Name   string       `json:"name"`
	Cosine float32      `json:"cosine"`
	Image  template.URL `json:"image,omitempty"` // empty where the file cannot be shown
}

// finder finds images that resemble another.
type finder struct {
	encoder *infer.Encoder
	own     bool // the encoder is the finder's to close
	index   *explore.Index
}

// openFinder opens the index of the run in dir, for its model. It is nil where the run has no index, or its model gives no features.
func openFinder(dir string, model infer.Attentive, opt infer.Options) (*finder, error) {
	index, err := explore.OpenIndex(filepath.Join(dir, indexName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f := &finder{index: index}
	switch m := model.(type) {
	case *infer.Encoder:
		f.encoder = m
	case *infer.Classifier:
		if f.encoder, err = infer.OpenEncoder(dir, opt); err != nil {
			return nil, err
		}
		f.own = true
	default:
		return nil, nil
	}
	if !index.IsOf(f.encoder.Checksum()) {
		f.close()
		return nil, fmt.Errorf("%s is of another model or of an earlier checkpoint", filepath.Join(dir, indexName))
	}
	return f, nil
}

// close frees what the finder opened.
func (f *finder) close() error {
	if f == nil || !f.own {
		return nil
	}
	return f.encoder.Close()
}

// find returns the nearest images.
func (f *finder) find(img image.Image) ([]near, error) {
	features, err := f.encoder.Encode(img)
	if err != nil {
		return nil, err
	}
	var list []near
	folders := f.index.Folders()
	for _, n := range f.index.Nearest(features, topNearest) {
		one := near{Name: plain.Text(n.Name), Cosine: n.Cosine}
		for _, folder := range folders {
			if one.Image, err = thumbnail(folder, n.Name); err == nil {
				break
			}
		}
		list = append(list, one)
	}
	return list, nil
}

// thumbnail is a small copy of an image in a folder. A name that leads out of the folder is an error.
func thumbnail(folder, name string) (template.URL, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", err
	}
	defer root.Close()
	file, err := regular.OpenFS(root.FS(), name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	m, err := data.ReadImage(file, imageLimits, data.ExifTranspose())
	if err != nil {
		return "", err
	}
	return page.JPEG(data.Shrink(m, thumbSide))
}
