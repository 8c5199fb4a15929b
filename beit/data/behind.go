package data

import (
	"io/fs"
	"path/filepath"
	"slices"
)

// File is the file behind an image of a dataset.
type File struct {
	Source string // the folder or archive that it lies in
	Path   string // its name in there
	fsys   fs.FS
}

// FileOf returns the file behind image i of ds. ok is false for images that are no files, such as synthetic ones.
func FileOf(ds Dataset, i int) (file File, ok bool) {
	f, own := fileAt(ds, i)
	if f == nil {
		return File{}, false
	}
	return File{f.source, f.paths[own], f.fsys}, true
}

// Info returns the file's size and time of change. In an archive they are those that it notes.
func (f File) Info() (fs.FileInfo, error) { return stat(f.fsys, f.Path) }

// OnDisk is the path of the file, empty inside an archive.
func (f File) OnDisk() string {
	if _, ok := f.fsys.(dirFS); !ok {
		return ""
	}
	return filepath.Join(f.Source, filepath.FromSlash(f.Path))
}

// Transposed reads image i of ds for people: turned as its EXIF orientation says, also where ds does not turn images.
func Transposed(ds Dataset, i int) (*RGB, error) {
	f, own := fileAt(ds, i)
	if f == nil {
		return Decoded(ds, i)
	}
	turned := *f
	turned.masks = nil
	turned.options = append(slices.Clip(f.options), ExifTranspose())
	return Decoded(&turned, own)
}
