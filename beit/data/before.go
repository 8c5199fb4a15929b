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
// A .tar file is one by its name or its first bytes: links to one have any name.
func OpenAsBefore(name string, limits Limits, options ...Option) (*Source, error) {
	info, err := statPath(name)
	switch {
	case err == nil && info.IsDir():
		return openFSAsBefore(dirFS(name), name, limits, options)
	case err != nil || !info.Mode().IsRegular() || filepath.Ext(name) != ".tar" && !isTar(name):
		return Open(name, limits, options...)
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

// isTar reports whether a regular file is a .tar file by its first bytes.
func isTar(name string) bool {
	kind, err := sniff(dirFS(filepath.Dir(name)), filepath.Base(name))
	return err == nil && kind.Short == "tar"
}

func openFSAsBefore(fsys fs.FS, name string, limits Limits, options []Option) (*Source, error) {
	o := newOpener(fsys, name, limits, options)
	o.before = true
	s := splits{root: "."}
	only, err := o.onlyFolderBefore()
	if err != nil {
		return nil, err
	}
	if only != "train" && only != "val" && only != "" {
		s.root = only
	}
	folder := func(base string) string {
		full := path.Join(s.root, base)
		if info, err := stat(fsys, full); err != nil || !info.IsDir() {
			return ""
		}
		return full
	}
	if s.train = folder("train"); s.train != "" {
		s.val = folder("val")
	}
	return o.open(s, nil)
}

// onlyFolderBefore returns the folder at the top, if nothing else is there.
func (o *opener) onlyFolderBefore() (only string, err error) {
	entries, err := o.readDir(".")
	if err != nil {
		return "", err
	}
	entries = slices.DeleteFunc(slices.Clone(entries), hiddenBefore)
	if len(entries) != 1 || !isFolder(o.fsys, ".", entries[0]) {
		return "", nil
	}
	return entries[0].Name(), nil
}

// hiddenBefore reports whether version 0.1 did not look at an entry of a folder.
func hiddenBefore(e fs.DirEntry) bool {
	n, ok := e.(*node)
	return ok && n.fresh || strings.HasPrefix(e.Name(), ".") || e.Name() == "__MACOSX"
}

// wasImage reports whether version 0.1 took a file for an image.
func wasImage(name string) bool {
	endings := []string{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
	return slices.Contains(endings, strings.ToLower(path.Ext(name)))
}
