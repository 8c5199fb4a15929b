package data

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
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

// findImagenet looks for the tables, in the root of fsys or in a single folder there.
func findImagenet(fsys fs.FS, name string) (*imagenet, error) {
	roots := []string{"."}
	if only, _ := onlyFolder(fsys, "."); only != "" {
		roots = append(roots, only)
	}
	for _, root := range roots {
		file, err := openRegular(fsys, path.Join(root, imagenetSolution))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		defer file.Close()
		l, err := readCSV(file, path.Join(name, root, imagenetSolution))
		if err != nil {
			return nil, err
		}
		net := &imagenet{root: root, synset: map[string]string{}}
		for _, one := range l.lines {
			synset, _, _ := strings.Cut(one.label, " ")
			net.synset[one.file] = synset
		}
		net.names, err = synsetNames(fsys, path.Join(root, imagenetNames))
		return net, err
	}
	return nil, nil
}

// synsetNames reads what synsets are called. Two of the same name keep their synset with it.
func synsetNames(fsys fs.FS, name string) (map[string]string, error) {
	file, err := openRegular(fsys, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names, count := map[string]string{}, map[string]int{}
	lines := bufio.NewScanner(file)
	for lines.Scan() && len(names) < maxImagenetSynset {
		if synset, text, ok := strings.Cut(strings.TrimSpace(lines.Text()), " "); ok {
			names[synset] = text
			count[text]++
		}
	}
	for synset, text := range names {
		if count[text] > 1 {
			names[synset] = fmt.Sprintf("%s (%s)", text, synset)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return names, nil
}

// splits returns the folders of images, where they are those of the whole download.
func (n *imagenet) splits(fsys fs.FS, name string) (splits, error) {
	dir := path.Join(n.root, imagenetFolder)
	if info, err := fs.Stat(fsys, dir); err != nil || !info.IsDir() {
		return findSplits(fsys, name)
	}
	return splitsIn(fsys, dir, name)
}

// label gives validation images without class folders the labels of the table, and the classes of both parts their names.
func (n *imagenet) label(train, val *files) {
	if val == nil || val.classes != nil || train.classes == nil {
		return
	}
	of := make([]string, len(val.paths))
	for i, p := range val.paths {
		base := path.Base(p)
		of[i] = n.synset[strings.TrimSuffix(base, path.Ext(base))]
	}
	val.label(of, train.classes)
	if val.classes == nil {
		return
	}
	classes := make([]string, len(train.classes))
	for i, synset := range train.classes {
		if classes[i] = n.names[synset]; classes[i] == "" {
			classes[i] = synset
		}
	}
	train.classes, val.classes = classes, classes
}

// imagenetRoot returns the folder of ImageNet's tables where name is one of the folders below it that people name; else name.
func imagenetRoot(name string) string {
	full, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	for _, below := range []string{imagenetFolder, "ILSVRC"} {
		root, found := strings.CutSuffix(filepath.ToSlash(full), "/"+below)
		if _, err := os.Stat(filepath.Join(root, imagenetSolution)); found && root != "" && err == nil {
			return filepath.FromSlash(root)
		}
	}
	return name
}
