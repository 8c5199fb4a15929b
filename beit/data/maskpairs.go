package data

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// imageFolders and maskFolders are names, in lower case, of folders of images and of the folders beside them that hold their masks. Of several of
// those the first that has masks counts.
var (
	imageFolders = []string{imagesFolder, "image", "imgs", "img", "jpegimages"}
	maskFolders  = []string{"annotations", "annotation", "masks", "mask", "labels", "label", "segmentationclass"}
)

// maskFinder finds masks: dir/images/a/b.jpg has dir/annotations/a/b.png.
type maskFinder struct {
	o       *opener
	folders map[string]map[string]string // masks by name without ending, of folders of images
}

// pair removes masks from the images that were found, and images without a mask. It returns the masks of the others.
func (f *maskFinder) pair(found []string) (images []string, masks map[string]string, err error) {
	masks = map[string]string{}
	for _, p := range found {
		if isMask(p) {
			continue
		}
		of, err := f.masksOf(path.Dir(p))
		if err != nil {
			return nil, nil, err
		}
		name, ok := of[stem(p)]
		if !ok {
			f.o.left.add(leftKind{name: "image without a mask", many: "images without masks", warn: true}, p)
			continue
		}
		images, masks[p] = append(images, p), name
	}
	if len(images) == 0 {
		return nil, nil, fmt.Errorf("%s: no image has a mask: they are looked for as images/NAME.jpg and annotations/NAME.png (or masks, labels), with the same folders below both",
			f.o.name)
	}
	return images, masks, nil
}

// scanImages is scan, without masks where the options say so.
func (o *opener) scanImages(dir string) (paths []string, l *list, err error) {
	if paths, l, err = o.scan(dir); err == nil && settingsOf(o.options).skipMasks {
		paths = o.withoutMasks(paths)
	}
	return paths, l, err
}

// withoutMasks leaves out the files below a folder of masks that has a folder of images beside it.
func (o *opener) withoutMasks(found []string) (images []string) {
	above := map[string]bool{} // folders that hold a folder of images
	for _, p := range found {
		for _, dir := range foldersNamed(p, imageFolders) {
			above[dir] = true
		}
	}
	for _, p := range found {
		beside := slices.ContainsFunc(foldersNamed(p, maskFolders), func(dir string) bool { return above[dir] })
		if beside && slices.Contains(maskEndings, strings.ToLower(path.Ext(p))) {
			o.left.add(leftKind{name: "mask", many: "masks"}, p)
			continue
		}
		images = append(images, p)
	}
	return images
}

// foldersNamed returns the folders on the way to a file that hold a folder of one of these names, which leads on to the file.
func foldersNamed(file string, names []string) (above []string) {
	dir := strings.Split(path.Dir(file), "/")
	for i, e := range dir {
		if slices.Contains(names, strings.ToLower(e)) {
			above = append(above, path.Join(append([]string{"."}, dir[:i]...)...))
		}
	}
	return above
}

// isMask reports whether a file lies in a folder of masks.
func isMask(name string) bool {
	return len(foldersNamed(name, maskFolders)) > 0
}

// stem is the name of a file without folder and ending.
func stem(name string) string { return strings.TrimSuffix(path.Base(name), path.Ext(name)) }

// masksOf returns the masks that belong to the images in dir, by their names without endings.
func (f *maskFinder) masksOf(dir string) (map[string]string, error) {
	if of, known := f.folders[dir]; known {
		return of, nil
	}
	of, err := f.search(strings.Split(dir, "/"))
	if err != nil {
		return nil, err
	}
	f.folders[dir] = of
	return of, nil
}

// search looks in the folders beside each folder of images on the way to dir, the lowest first.
func (f *maskFinder) search(dir []string) (map[string]string, error) {
	for i, e := range slices.Backward(dir) {
		if !slices.Contains(imageFolders, strings.ToLower(e)) {
			continue
		}
		above := path.Join(append([]string{"."}, dir[:i]...)...)
		beside, err := f.o.readDir(above)
		if err != nil {
			return nil, err
		}
		for _, want := range maskFolders {
			for _, b := range beside {
				if !strings.EqualFold(b.Name(), want) || !isFolder(f.o.fsys, above, b) {
					continue
				}
				of, err := f.list(path.Join(append([]string{above, b.Name()}, dir[i+1:]...)...))
				if err != nil || len(of) > 0 {
					return of, err
				}
			}
		}
	}
	return nil, nil
}

// list returns the masks in a folder, which need not be there.
func (f *maskFinder) list(dir string) (map[string]string, error) {
	entries, err := f.o.readDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	of := map[string]string{}
	for _, e := range entries {
		if slices.Contains(maskEndings, strings.ToLower(path.Ext(e.Name()))) && !hidden(e.Name()) {
			of[stem(e.Name())] = path.Join(dir, e.Name())
		}
	}
	return of, nil
}

// besideImages is the folder that holds the folder of images that a file lies in.
func besideImages(name string) string {
	if above := foldersNamed(name, imageFolders); len(above) > 0 {
		return above[len(above)-1]
	}
	return "."
}
