package shaders

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// ManifestFile is the file name of the manifest in the folder of the package.
const ManifestFile = "manifest.txt"

// Manifest returns the lines of all shaders, sorted. dir is the folder of the package.
func Manifest(dir fs.FS) (string, error) {
	var lines []string
	for _, s := range all {
		line, err := s.Line(dir)
		if err != nil {
			return "", err
		}
		lines = append(lines, line)
	}
	sort.Strings(lines)
	return strings.Join(lines, ""), nil
}

// Line returns the line of s in the manifest: its name, the version of its compiler, a hash of its source, and a hash of its SPIR-V. The
// hash of the source covers included files and defines.
func (s *Shader) Line(dir fs.FS) (string, error) {
	made := sha256.New()
	fmt.Fprintf(made, "%q %q\n", s.Source, s.Defines)
	names, err := sources(dir, s.Source, nil)
	if err != nil {
		return "", err
	}
	for _, name := range names {
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
	return fmt.Sprintf("%s %s %.8x %.8x\n", s.Name, s.Compiler, made.Sum(nil), sha256.Sum256(blob)), nil
}

var include = regexp.MustCompile(`(?m)^\s*#include\s+"([^"]+)"`)

// sources adds a file to names, and what it includes, each once.
func sources(dir fs.FS, name string, names []string) ([]string, error) {
	if slices.Contains(names, name) {
		return names, nil
	}
	names = append(names, name)
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, err
	}
	for _, m := range include.FindAllSubmatch(text, -1) {
		if names, err = sources(dir, string(m[1]), names); err != nil {
			return nil, err
		}
	}
	return names, nil
}
