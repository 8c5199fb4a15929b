package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/infer"
)

// indexFlag names a file that keeps features between calls.
type indexFlag struct {
	Index string `placeholder:"FILE.index" help:"Keep the features of images in this file: later calls encode only images that are new or changed."`
}

// check refuses names of other files: what cannot be read as an index is replaced.
func (f indexFlag) check() error {
	if f.Index != "" && (filepath.Ext(f.Index) != ".index" || isFolder(f.Index)) {
		return usagef("--index %s: name a file that ends in .index", f.Index)
	}
	return nil
}

// indexedEncoder is an encoder with an index of the features that it computed before.
type indexedEncoder struct {
	*infer.Encoder
	file  string         // of the index, empty without one
	key   string         // what its entries depend on
	index *explore.Index // nil without one
}

// open reads the index for the images at some paths, which run says how to turn. An index that cannot be used is replaced, with a note.
func (f indexFlag) open(a *app, enc *infer.Encoder, run *config.Config, paths []string) (*indexedEncoder, error) {
	x := &indexedEncoder{Encoder: enc, file: f.Index}
	if f.Index == "" {
		return x, nil
	}
	var err error
	if x.key, err = explore.IndexKey(enc.Checksum(), run.Data.ExifTranspose, paths); err != nil {
		return nil, err
	}
	x.index, err = explore.ReadIndex(f.Index, x.key)
	if err != nil {
		newReporter(a.errOut).Notice(fmt.Sprintf("the index is made anew: %v", err))
		x.index = explore.NewIndex(x.key)
	}
	return x, nil
}

// each calls use with the features of the images of ds in their order, as pass does. Those that the index has are not computed again.
func (x *indexedEncoder) each(a *app, name string, ds data.Dataset, use func(infer.Item[infer.Features]) error) (skipped int, err error) {
	if x.index == nil {
		return pass(a, name, ds, x.EncodeDataset, use)
	}
	var missing []int
	for i := range ds.Len() {
		if _, ok := x.get(ds, i); !ok {
			missing = append(missing, i)
		}
	}
	unkept := map[int]infer.Features{} // images that are no files
	if len(missing) > 0 {
		newReporter(a.errOut).Notice(fmt.Sprintf("%s has the features of %d of %d images", x.file, ds.Len()-len(missing), ds.Len()))
		skipped, err = pass(a, name, data.Subset(ds, missing), x.EncodeDataset, func(item infer.Item[infer.Features]) error {
			if stamp, ok := stampOf(ds, missing[item.Index]); ok {
				x.index.Put(stamp, item.Value)
			} else {
				unkept[missing[item.Index]] = item.Value
			}
			return nil
		})
		if none := (*data.UnreadableError)(nil); errors.As(err, &none) && len(missing) < ds.Len() {
			err = nil // those that can be read are in the index
		}
		if err != nil {
			return skipped, err
		}
		if err := x.index.Write(x.file); err != nil {
			return skipped, err
		}
	}
	for i := range ds.Len() {
		features, ok := unkept[i]
		if !ok {
			features, ok = x.get(ds, i)
		}
		if !ok { // it could not be read
			continue
		}
		if err := use(infer.Item[infer.Features]{Index: i, Name: ds.Name(i), Value: features}); err != nil {
			return skipped, err
		}
	}
	return skipped, nil
}

// get returns what the index has of image i of ds, if that has not changed.
func (x *indexedEncoder) get(ds data.Dataset, i int) (infer.Features, bool) {
	stamp, ok := stampOf(ds, i)
	if !ok {
		return infer.Features{}, false
	}
	return x.index.Get(stamp)
}

// stampOf tells image i of ds from other ones and from itself before a change. ok is false for an image that is no file.
func stampOf(ds data.Dataset, i int) (stamp explore.Stamp, ok bool) {
	file, ok := data.FileOf(ds, i)
	if !ok {
		return stamp, false
	}
	info, err := file.Info()
	if err != nil {
		return stamp, false
	}
	return explore.Stamp{Name: ds.Name(i), Size: info.Size(), Time: info.ModTime().UnixNano()}, true
}
