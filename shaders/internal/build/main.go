// Command build compiles the shaders of the table with glslc and writes the manifest. It runs in the folder of package shaders. Shaders of
// another compiler than the glslc at hand stay as they are; if they have changed, build says so and fails.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/gobeit/gobeit/shaders"
)

func main() {
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, "shaders:", err)
		os.Exit(1)
	}
}

func build() error {
	compiler := shaders.Compiler()
	if compiler == "" {
		return fmt.Errorf("there is no glslc")
	}
	old, err := os.ReadFile(shaders.ManifestFile)
	if err != nil {
		return err
	}
	var lines, left []string
	dir := os.DirFS(".")
	wanted := map[string]bool{}
	for _, s := range shaders.All() {
		wanted[s.Name+".spv"] = true
		if s.Compiler == compiler {
			if err := s.Compile(".", "spv/"+s.Name+".spv"); err != nil {
				return err
			}
		}
		line, err := s.Line(dir)
		if s.Compiler == compiler && err != nil {
			return err
		}
		if was := lineOf(s, string(old)); s.Compiler != compiler && (err != nil || line != was) {
			left = append(left, s.Name+" (shaderc "+s.Compiler+")")
			line = was
		}
		lines = append(lines, line)
	}
	if err := clean(wanted); err != nil {
		return err
	}
	sort.Strings(lines)
	if err := os.WriteFile(shaders.ManifestFile, []byte(strings.Join(lines, "")), 0o644); err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("glslc is of shaderc %s; left to build with another: %s", compiler, strings.Join(left, ", "))
	}
	return nil
}

// lineOf finds the line of s in a manifest, "" when it has none.
func lineOf(s *shaders.Shader, manifest string) string {
	for line := range strings.Lines(manifest) {
		if strings.HasPrefix(line, s.Name+" ") {
			return line
		}
	}
	return ""
}

// clean removes blobs that no shader is made of.
func clean(wanted map[string]bool) error {
	blobs, err := filepath.Glob("spv/*.spv")
	if err != nil {
		return err
	}
	for _, name := range blobs {
		if !wanted[filepath.Base(name)] {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}
