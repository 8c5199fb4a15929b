// Command build compiles every shader of the table with glslc and writes the manifest. It runs in the folder of package shaders.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/shaders"
)

func main() {
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, "shaders:", err)
		os.Exit(1)
	}
}

func build() error {
	wanted := map[string]bool{}
	for _, s := range shaders.All() {
		wanted[s.Name+".spv"] = true
		if err := s.Compile(".", "spv/"+s.Name+".spv"); err != nil {
			return err
		}
	}
	old, err := filepath.Glob("spv/*.spv")
	if err != nil {
		return err
	}
	for _, name := range old {
		if !wanted[filepath.Base(name)] {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	text, err := shaders.Manifest(os.DirFS("."))
	if err != nil {
		return err
	}
	return os.WriteFile(shaders.ManifestFile, []byte(text), 0o644)
}
