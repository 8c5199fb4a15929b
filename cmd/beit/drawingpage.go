package main

import (
	"path/filepath"
	"slices"
)

// writeBoth writes a drawing and a page, or the one that out ends as, and returns their names.
func writeBoth[C any](out string, content *C, drawing, page func(string, *C) error) (written []string, err error) {
	for _, kind := range []struct {
		ext   string
		write func(string, *C) error
	}{{".png", drawing}, {".html", page}} {
		name := out
		switch ext := filepath.Ext(out); ext {
		case kind.ext:
		case ".png", ".html":
			continue
		default:
			name += kind.ext
		}
		if err := kind.write(name, content); err != nil {
			return nil, err
		}
		written = append(written, name)
	}
	return written, nil
}

// checkBoth refuses a name that writeBoth does not write.
func checkBoth(out string) error {
	switch {
	case out == "":
		return usagef("--out: name the files")
	case slices.Contains(otherPictures, filepath.Ext(out)):
		return usagef("--out %s: name a file that ends in .png, or in .html, or files of both kinds without an ending", out)
	}
	return nil
}
