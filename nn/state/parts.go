package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/gobeit/gobeit/nn/state/regular"
)

// indexEnd ends the names of files that say which file has which tensor.
const indexEnd = ".index.json"

// names of weights in a folder that save_pretrained, timm or OpenCLIP wrote, in the
// order in which they are looked for.
var folderNames = []string{
	"model.safetensors", "model.safetensors" + indexEnd, "open_clip_model.safetensors", "pytorch_model.bin", "pytorch_model.bin" + indexEnd,
	"open_clip_pytorch_model.bin",
}

// ErrNoWeights is wrapped by the error of Open for a folder without weights.
var ErrNoWeights = errors.New("no weights in the folder")

// inFolder returns the path of the weights in a folder.
func inFolder(dir string) (string, error) {
	for _, name := range folderNames {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return onlyWeights(dir)
}

// onlyWeights returns the one index, or the one file of weights, in a folder, of whatever name.
func onlyWeights(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("state: %w", err)
	}
	var indices, files []string
	for _, e := range entries {
		name := e.Name()
		index := strings.HasSuffix(name, indexEnd)
		if !index && !slices.Contains([]string{".safetensors", ".bin", ".pth", ".pt"}, strings.ToLower(filepath.Ext(name))) {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, name)) // follows links, of which Hugging Face's cache consists
		switch {
		case err != nil || !info.Mode().IsRegular():
		case index:
			indices = append(indices, name)
		default:
			files = append(files, name)
		}
	}
	switch {
	case len(indices) == 1:
		return filepath.Join(dir, indices[0]), nil
	case len(indices) == 0 && len(files) == 1:
		return filepath.Join(dir, files[0]), nil
	case len(indices)+len(files) > 1:
		list := append(indices, files...)
		return "", fmt.Errorf("state: %s: holds several files of weights: name one of %s", dir, strings.Join(list[:min(8, len(list))], ", "))
	}
	return "", fmt.Errorf("state: %s: %w: looked for %s", dir, ErrNoWeights, strings.Join(folderNames, ", "))
}

// Limits of an index: far above what models have.
const (
	maxIndex = 64 << 20 // bytes
	maxParts = 1 << 10  // files
)

// openParts opens the files of an index as one, of the tensors whose names begin with
// a key. The index has their whole names, so the files are opened without it.
func openParts(path, key string) (*File, error) {
	text, err := regular.ReadAtMost(path, maxIndex)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	where, err := parseIndex(text)
	if err != nil {
		return nil, fmt.Errorf("state: %s: %w", path, err)
	}
	files := map[string]*File{}
	f, err := join(path, where, files)
	if err == nil {
		f, err = f.narrowed(key)
	}
	if err != nil {
		for _, part := range files {
			part.Close()
		}
		return nil, err
	}
	return f, nil
}

// parseIndex reads which file has which tensor.
func parseIndex(text []byte) (map[string]string, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return nil, noWeights(text)
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, fmt.Errorf("the index: %w", err)
	}
	if len(index.WeightMap) == 0 {
		return nil, errors.New("the index has no weight_map")
	}
	for name, file := range index.WeightMap {
		if file == "" || file != filepath.Base(file) || !filepath.IsLocal(file) {
			return nil, fmt.Errorf("the index: tensor %s: %s is no name of a file beside it", quote(name), quote(file))
		}
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("the index: tensor %s: %w", quote(name), err)
		}
	}
	return index.WeightMap, nil
}

// join opens the files and makes one of them. files has those that are open, also
// after an error.
func join(path string, where map[string]string, files map[string]*File) (*File, error) {
	h := header{meta: map[string]string{}, entries: map[string]Entry{}}
	all := &parts{}
	starts := map[string]int64{}
	for _, name := range sortedKeys(where) {
		file := where[name]
		part := files[file]
		if part == nil {
			var err error
			if part, err = openPart(path, file, len(files)); err != nil {
				return nil, err
			}
			files[file] = part
			starts[file] = all.add(part)
		}
		e, ok := part.header.entries[name]
		if !ok {
			return nil, fmt.Errorf("state: %s: tensor %s is not in %s, where the index says it is", path, quote(name), file)
		}
		if e.Offset != noOffset {
			e.Offset += starts[file]
		}
		h.entries[name] = e
	}
	f := newFile(all, all.end, path, all.files[0].format, h)
	f.closer = all
	return f, nil
}

// openPart opens one file of an index; open is how many there are already.
func openPart(path, file string, open int) (*File, error) {
	if open >= maxParts {
		return nil, fmt.Errorf("state: %s: the index names more than %d files", path, maxParts)
	}
	part, err := openAs(filepath.Join(filepath.Dir(path), file), Options{}.read)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("state: %s: %s, which the index names, is missing: fetch it too: %w", path, quote(file), err)
	}
	return part, err
}

// parts are files one after another.
type parts struct {
	files  []*File
	starts []int64 // where each begins
	end    int64
}

// add adds a file and returns where it begins.
func (p *parts) add(f *File) int64 {
	start := p.end
	p.files, p.starts = append(p.files, f), append(p.starts, start)
	p.end += f.size
	return start
}

// ReadAt reads from the file that has the offset. Tensors do not cross from one
// into the next.
func (p *parts) ReadAt(b []byte, off int64) (int, error) {
	i := sort.Search(len(p.starts), func(i int) bool { return p.starts[i] > off }) - 1
	if i < 0 {
		return 0, io.EOF
	}
	return p.files[i].r.ReadAt(b, off-p.starts[i])
}

// Close closes all files.
func (p *parts) Close() error {
	var errs []error
	for _, f := range slices.Backward(p.files) {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
