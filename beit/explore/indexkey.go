package explore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Lines of a key.
const (
	keyWeights = "weights "
	keyExif    = "exif_transpose "
	keyImages  = "images "
)

// IndexKey says what the entries of an index depend on besides each file: the checksum of the model, where images lie, and how they are decoded. Files
// inside an archive have the times that it notes, so its own counts too.
func IndexKey(checksum string, exifTranspose bool, paths []string) (string, error) {
	parts := []string{keyWeights + checksum, fmt.Sprint(keyExif, exifTranspose)}
	for _, path := range paths {
		full, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		part := keyImages + full
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			part += fmt.Sprintf(" %d %d", info.Size(), info.ModTime().UnixNano())
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n"), nil
}

// IsOf says whether the index is of the model with a checksum.
func (x *Index) IsOf(checksum string) bool {
	first, _, _ := strings.Cut(x.key, "\n")
	return checksum != "" && first == keyWeights+checksum
}

// Folders are the folders that images of the index lie in, as far as they are still there.
func (x *Index) Folders() (list []string) {
	for line := range strings.SplitSeq(x.key, "\n") {
		path, ok := strings.CutPrefix(line, keyImages)
		if !ok {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			list = append(list, path)
		}
	}
	return list
}
