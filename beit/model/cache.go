package model

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CacheEnv names the environment variable for the folder of fetched files.
const CacheEnv = "BEIT_CACHE"

// CacheDir is the folder of fetched files: gobeit in the user's folder for caches, or what CacheEnv says.
func CacheDir() (string, error) {
	if dir := os.Getenv(CacheEnv); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for fetched files: name one with %s: %w", CacheEnv, err)
	}
	return filepath.Join(dir, "gobeit"), nil
}

// Cached is where the file is, or would be, in the cache. there says that it is.
func (p Published) Cached() (path string, there bool, err error) {
	dir, err := CacheDir()
	if err != nil {
		return "", false, err
	}
	path = filepath.Join(dir, p.Name)
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular(), nil
}

// Getter puts a published file at a path.
type Getter func(p Published, path string) error

// Find returns the path of the model that is called name: a file or a folder; or else a published file, by its place in the cache. Where it is not
// there, get fetches it. With a nil get it is an error that says how to get it.
func Find(name string, get Getter) (path string, err error) {
	if _, err := os.Stat(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return name, err
	}
	p, ok := publishedAs(name)
	if !ok {
		return "", fmt.Errorf("%s: no such model file or run folder: %w%s", name, fs.ErrNotExist, otherwise(name))
	}
	path, there, err := p.Cached()
	switch {
	case err != nil || there:
		return path, err
	case get == nil:
		return "", fmt.Errorf("%s: is a published file that was not fetched yet: 'beit pull %s' does it", name, p.Short)
	}
	return path, get(p, path)
}

// otherwise says which published file was probably meant by a name that leads to no file; empty for what can be but a path.
func otherwise(name string) string {
	if near := nearPublished(name); near != "" && !strings.ContainsAny(name, `/\`) {
		return "; of the published files, " + near
	}
	return ""
}
