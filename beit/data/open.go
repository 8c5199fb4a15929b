package data

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Source is an opened folder or archive of images.
type Source struct {
	Train Dataset // the content of train/, or everything when there is no such folder
	Val   Dataset // the content of val/; nil when there is no such folder
	file  io.Closer
}

// Close closes the archive. The datasets must not be used afterwards.
func (s *Source) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Open opens a folder of images, a .tar file of them, or an index (see Index) whose name ends in .jsonl. Images are class/**/*.jpg, or lie outside
// class folders and have no labels; also read are .jpeg, .png, .webp, .bmp, .tif, .tiff and .gif. The class folders are at the top or in train/
// and val/. A single folder at the top is opened in its place.
func Open(name string, limits Limits, options ...Option) (*Source, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such folder or .tar file: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	if info.IsDir() {
		return OpenFS(os.DirFS(name), name, limits, options...)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	if filepath.Ext(name) == ".jsonl" {
		defer file.Close()
		all, err := Index(os.DirFS(filepath.Dir(name)), file, name, limits, options...)
		if err != nil {
			return nil, err
		}
		return &Source{Train: all}, nil
	}
	src, err := openTar(file, info.Size(), name, limits, options)
	if err != nil {
		file.Close()
		return nil, err
	}
	src.file = file
	return src, nil
}

func openTar(file io.ReaderAt, size int64, name string, limits Limits, options []Option) (*Source, error) {
	fsys, err := NewTarFS(file, size)
	if err != nil {
		return nil, fmt.Errorf("%s: not a readable .tar file: %w", name, err)
	}
	return OpenFS(fsys, name, limits, options...)
}

// OpenFS opens any file system as Open does. Errors call it name.
func OpenFS(fsys fs.FS, name string, limits Limits, options ...Option) (*Source, error) {
	root := "."
	if only, ok := onlyFolder(fsys); ok && only != "train" && only != "val" {
		root = only
	}
	if !isDir(fsys, path.Join(root, "train")) {
		if val := path.Join(root, "val"); isDir(fsys, val) {
			return nil, fmt.Errorf("%s: has a folder val but no folder train: name the folder %s to use it alone", name, path.Join(name, val))
		}
		all, err := scan(fsys, root, name, nil, limits, options)
		if err != nil {
			return nil, err
		}
		return &Source{Train: all}, nil
	}
	train, err := scan(fsys, path.Join(root, "train"), name, nil, limits, options)
	if err != nil {
		return nil, err
	}
	if !isDir(fsys, path.Join(root, "val")) {
		return &Source{Train: train}, nil
	}
	val, err := scan(fsys, path.Join(root, "val"), name, train.Classes(), limits, options)
	if err != nil {
		return nil, err
	}
	return &Source{Train: train, Val: val}, nil
}

func isDir(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// onlyFolder returns the folder at the top of fsys, if nothing else is there.
func onlyFolder(fsys fs.FS) (string, bool) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return "", false
	}
	only := ""
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		if only != "" || !isDir(fsys, e.Name()) {
			return "", false
		}
		only = e.Name()
	}
	return only, only != ""
}

// hidden reports whether name is one that operating systems leave behind in folders and archives.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || name == "__MACOSX" }
