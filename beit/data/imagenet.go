package data

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Files of ImageNet as its challenge on Kaggle has it: folders of training images by synset, such as n01440764, all validation images in one folder,
// and beside them a table of the synset of each and a table of what synsets are called.
const (
	imagenetFolder    = "ILSVRC/Data/CLS-LOC"
	imagenetSolution  = "LOC_val_solution.csv"
	imagenetNames     = "LOC_synset_mapping.txt"
	maxImagenetSynset = 1 << 16 // lines of the second table
)

// imagenet is what the tables say. It is nil where there are none.
type imagenet struct {
	root   string            // where they are
	synset map[string]string // of validation images, by name without extension
	names  map[string]string // of synsets
}

// findImagenet looks for the tables, in the root of a file system or in a single folder there.
func (o *opener) findImagenet() (*imagenet, error) {
	only, _, err := o.onlyFolder(".")
	if err != nil {
		return nil, err
	}
	for _, root := range slices.Compact([]string{".", path.Join(".", only)}) {
		name := path.Join(root, imagenetSolution)
		l, err := readIfThere(o.fsys, name, func(r io.Reader) (*list, error) { return readList(r, name, ".") })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Join(o.name, name), err)
		}
		if l == nil {
			continue
		}
		net := &imagenet{root: root, synset: map[string]string{}}
		for _, one := range l.lines {
			net.synset[one.file], _, _ = strings.Cut(one.label, " ")
		}
		name = path.Join(root, imagenetNames)
		if net.names, err = readIfThere(o.fsys, name, synsetNames); err != nil {
			return nil, fmt.Errorf("%s: %w", path.Join(o.name, name), err)
		}
		return net, nil
	}
	return nil, nil
}

// synsetNames reads what synsets are called. Two of the same name keep their synset with it.
func synsetNames(r io.Reader) (map[string]string, error) {
	in, err := utf8Text(r)
	if err != nil {
		return nil, err
	}
	names, count := map[string]string{}, map[string]int{}
	lines := bufio.NewScanner(in)
	for lines.Scan() && len(names) < maxImagenetSynset {
		if synset, text, ok := strings.Cut(strings.TrimSpace(lines.Text()), " "); ok {
			names[synset] = className(text)
		}
	}
	for _, text := range names {
		count[text]++
	}
	for synset, text := range names {
		if count[text] > 1 {
			names[synset] = fmt.Sprintf("%s (%s)", text, synset)
		}
	}
	return names, lines.Err()
}

// splits returns the folders of images: those of the whole download, where they are there. Validation images may be there without those for training.
func (n *imagenet) splits(o *opener) (s splits, err error) {
	dir := path.Join(n.root, imagenetFolder)
	info, err := stat(o.fsys, dir)
	switch {
	case err == nil && info.IsDir():
		s, err = o.splitsIn(dir)
	case err == nil || errors.Is(err, fs.ErrNotExist):
		s, err = o.findSplits()
	default:
		err = fmt.Errorf("%s: %w", o.name, err)
	}
	if s.train == "" && !s.test {
		s.train, s.val = s.val, ""
	}
	return s, err
}

// label gives validation images without class folders the labels of the table, and the classes of both parts their names. Where there are no training
// images, train holds those for validation.
func (n *imagenet) label(train, val *files) {
	switch {
	case val == nil && train.classes == nil:
		n.labelAs(train, sortedClasses(slices.Collect(maps.Values(n.synset))))
	case val != nil && val.classes == nil && train.classes != nil:
		n.labelAs(val, train.classes)
		if val.classes == nil {
			return
		}
		val.classes = n.named(val.classes)
	default:
		return
	}
	train.classes = n.named(train.classes)
}

// labelAs labels files as the table does. Classes are numbered as in classes.
func (n *imagenet) labelAs(f *files, classes []string) {
	of := make([]string, len(f.paths))
	for i, p := range f.paths {
		base := path.Base(p)
		of[i] = n.synset[strings.TrimSuffix(base, path.Ext(base))]
	}
	f.label(of, classes)
}

// named returns what synsets are called, or themselves.
func (n *imagenet) named(synsets []string) []string {
	var names []string
	for _, synset := range synsets {
		names = append(names, cmp.Or(n.names[synset], synset))
	}
	return names
}

// imagenetRoot returns the folder of ImageNet's tables where name is one of the folders below it that people name, or a link to one; else name.
func imagenetRoot(name string) string {
	full, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	places := []string{full}
	if target, err := filepath.EvalSymlinks(full); err == nil {
		places = append(places, target)
	}
	for _, place := range places {
		for _, below := range []string{imagenetFolder, "ILSVRC"} {
			root, found := strings.CutSuffix(filepath.ToSlash(place), "/"+below)
			if _, err := statPath(filepath.Join(root, imagenetSolution)); found && root != "" && err == nil {
				return filepath.FromSlash(root)
			}
		}
	}
	return name
}
