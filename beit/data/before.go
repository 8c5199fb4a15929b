package data

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// OpenAsBefore opens a folder or .tar file as version 0.1 did, which found less: files whose names end like those of images, no links in archives, no
// metadata, and folders train and val of exactly these names. Runs that were begun with it go on with the same images. Other sources are as in Open.
func OpenAsBefore(name string, limits Limits, options ...Option) (*Source, error) {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() && filepath.Ext(name) != ".tar" {
		return Open(name, limits, options...)
	}
	if info.IsDir() {
		return openFSAsBefore(dirFS(name), name, limits, options)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	fsys, err := NewTarFS(file, info.Size())
	var src *Source
	if err == nil {
		src, err = openFSAsBefore(fsys, name, limits, options)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	src.close = file.Close
	return src, nil
}

func openFSAsBefore(fsys fs.FS, name string, limits Limits, options []Option) (*Source, error) {
	o := &opener{fsys: fsys, name: name, limits: limits, options: options, before: true}
	s := splits{root: "."}
	if only, alone := onlyFolder(fsys, "."); alone && only != "train" && only != "val" && only != "" {
		s.root = only
	}
	folder := func(base string) string {
		full := path.Join(s.root, base)
		if info, err := fs.Stat(fsys, full); err != nil || !info.IsDir() {
			return ""
		}
		return full
	}
	if s.train = folder("train"); s.train != "" {
		s.val = folder("val")
	}
	return o.open(s, nil)
}

// wasFound reports whether version 0.1 found an entry of a folder: one that may be a folder, or an image.
func wasFound(name string, e fs.DirEntry) bool {
	if n, ok := e.(*node); ok && n.fresh {
		return false
	}
	endings := []string{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
	return !e.Type().IsRegular() || slices.Contains(endings, strings.ToLower(path.Ext(name)))
}
