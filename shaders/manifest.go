package shaders

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"sort"
	"strings"
)

// ManifestFile is the manifest's name in the package's folder.
const ManifestFile = "manifest.txt"

// Manifest returns a line for each shader, sorted: its name, a hash of what it is made from (its source, all includes, its defines), and a
// hash of its blob. dir is this package's folder.
func Manifest(dir fs.FS) (string, error) {
	includes, err := fs.Glob(dir, "include/*.glsl")
	if err != nil {
		return "", err
	}
	var lines []string
	for _, s := range all {
		made := sha256.New()
		fmt.Fprintf(made, "%q %q\n", s.Source, s.Defines)
		for _, name := range append([]string{s.Source}, includes...) {
			text, err := fs.ReadFile(dir, name)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(made, "%s %d\n%s", name, len(text), text)
		}
		blob, err := fs.ReadFile(dir, "spv/"+s.Name+".spv")
		if err != nil {
			return "", err
		}
		lines = append(lines, fmt.Sprintf("%s %.8x %.8x\n", s.Name, made.Sum(nil), sha256.Sum256(blob)))
	}
	sort.Strings(lines)
	return strings.Join(lines, ""), nil
}
