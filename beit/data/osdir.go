package data

import (
	"io/fs"
	"os"
	"path/filepath"
)

// dirFS is the file system of a folder. Unlike os.DirFS it opens names that are not UTF-8, where the operating system does.
type dirFS string

// path returns the name for the operating system.
func (d dirFS) path(op, name string) (string, error) {
	local := filepath.FromSlash(name)
	if !validName(name) || !filepath.IsLocal(local) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return filepath.Join(string(d), local), nil
}

// Open opens a file or folder.
func (d dirFS) Open(name string) (fs.File, error) {
	full, err := d.path("open", name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(full)
	if err != nil {
		return nil, named(err, name)
	}
	return f, nil
}

// Stat describes a file or folder, and what a link leads to.
func (d dirFS) Stat(name string) (fs.FileInfo, error) {
	full, err := d.path("stat", name)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(full)
	return info, named(err, name)
}

// ReadDir lists a folder in order of name.
func (d dirFS) ReadDir(name string) ([]fs.DirEntry, error) {
	full, err := d.path("readdir", name)
	if err != nil {
		return nil, err
	}
	list, err := os.ReadDir(full)
	return list, named(err, name)
}

// named is an error about a file with the name inside the folder, which callers put the folder's name before.
func named(err error, name string) error {
	if e, ok := err.(*fs.PathError); ok {
		e.Path = name
	}
	return err
}
