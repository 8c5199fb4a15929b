package data

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// splitNames are the usual names of the folders of training and validation images, in lower case. testNames count as those of validation images
// where no folder has one of these.
var (
	trainNames = []string{"train", "training"}
	valNames   = []string{"val", "valid", "validation", "dev"}
	testNames  = []string{"test", "testing"}
)

// split is a part of the images.
type split int

const (
	trainSplit split = iota
	valSplit
	testSplit
	splitCount
)

// splitOf returns the split that a name means, in any case. Without a name it is the training images.
func splitOf(name string) (s split, ok bool) {
	lower := strings.ToLower(name)
	switch {
	case lower == "" || slices.Contains(trainNames, lower):
		return trainSplit, true
	case slices.Contains(valNames, lower):
		return valSplit, true
	case slices.Contains(testNames, lower):
		return testSplit, true
	}
	return trainSplit, false
}

// splits says which folders hold which images.
type splits struct {
	root, train, val string   // train is empty where all images are of one kind, below root
	test             bool     // val is a folder of test images
	unused           []string // what lies beside train and val
	table            string   // a .csv file there; empty for none
}

// imagesFolder is the name, in lower case, of a folder that often has those of the splits, beside a folder of boxes or masks.
const imagesFolder = "images"

// findSplits looks for folders of training and validation images: in the root of a file system, in a single folder there, or in a folder of images.
func (o *opener) findSplits() (splits, error) {
	root, dir := ".", "."
	for depth := 0; depth < maxDepth; depth++ {
		s, err := o.splitsIn(dir)
		if err != nil || s.train != "" || s.val != "" {
			return s, err
		}
		only, alone, err := o.onlyFolder(dir)
		if err != nil {
			return s, err
		}
		if only == "" {
			break
		}
		dir = path.Join(dir, only)
		if depth == 0 && alone {
			root = dir
		}
	}
	return splits{root: root}, nil
}

// splitsIn looks for the folders in dir.
func (o *opener) splitsIn(dir string) (splits, error) {
	entries, err := o.readDir(dir)
	if err != nil {
		return splits{}, err
	}
	s := splits{root: dir}
	var of [splitCount][]string
	for _, e := range entries {
		full := path.Join(dir, e.Name())
		in, ok := splitOf(e.Name())
		switch {
		case hidden(e.Name()):
		case ok && isFolder(o.fsys, dir, e):
			of[in] = append(of[in], full)
		case strings.ToLower(path.Ext(e.Name())) == ".csv":
			s.table = full
		case e.IsDir() || isImage(e.Name()):
			s.unused = append(s.unused, full)
		}
	}
	train, val := of[trainSplit], of[valSplit]
	if len(val) == 0 {
		val, s.test = of[testSplit], len(of[testSplit]) > 0
	} else {
		s.unused = append(s.unused, of[testSplit]...)
	}
	if len(train) == 0 && len(val) == 0 {
		return splits{root: dir}, nil
	}
	if s.train, err = theOne(train, "training"); err == nil {
		s.val, err = theOne(val, "validation")
	}
	if err != nil {
		return splits{}, fmt.Errorf("%s: %w", path.Join(o.name, dir), err)
	}
	return s, nil
}

// theOne returns the only folder of some images, empty for none. Several do not say what is meant.
func theOne(folders []string, purpose string) (string, error) {
	switch len(folders) {
	case 0:
		return "", nil
	case 1:
		return folders[0], nil
	}
	return "", fmt.Errorf("has several folders of %s images, %s: leave one of them there, or name the folders one by one", purpose, baseNames(folders))
}

// checkTrain refuses a folder of validation images that stands without one of training images.
func (s splits) checkTrain(name string) error {
	if s.train != "" || s.val == "" {
		return nil
	}
	base := path.Base(s.val)
	place := path.Join(name, s.root)
	return fmt.Errorf("%s: has a folder %s but no folder train: name the folder %s to use it alone", place, base, path.Join(place, base))
}

// baseNames lists the last elements of names.
func baseNames(names []string) string {
	var list []string
	for _, n := range names {
		list = append(list, fmt.Sprintf("%q", path.Base(n)))
	}
	return strings.Join(list, " and ")
}

// isFolder reports whether an entry of dir is a folder, or a link to one.
func isFolder(fsys fs.FS, dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := stat(fsys, path.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// onlyFolder returns the folder in dir, if there is one and no image beside it; of several, that of images. It is alone where nothing else is there.
func (o *opener) onlyFolder(dir string) (only string, alone bool, err error) {
	entries, err := o.readDir(dir)
	if err != nil {
		return "", false, err
	}
	folders, others := 0, 0
	for _, e := range entries {
		switch {
		case hidden(e.Name()):
		case isFolder(o.fsys, dir, e):
			if folders++; folders == 1 || strings.EqualFold(e.Name(), imagesFolder) {
				only = e.Name()
			}
		case isImage(e.Name()):
			return "", false, nil
		default:
			others++
		}
	}
	if folders > 1 && !strings.EqualFold(only, imagesFolder) {
		return "", false, nil
	}
	return only, folders == 1 && others == 0, nil
}

// readDir lists a folder that several look at, one after the other: it is read once.
func (o *opener) readDir(dir string) ([]fs.DirEntry, error) {
	if entries, known := o.folders[dir]; known {
		return entries, nil
	}
	entries, err := readDir(o.fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path.Join(o.name, dir), err)
	}
	o.folders[dir] = entries
	return entries, nil
}
