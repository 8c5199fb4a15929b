package shaders

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// A compiler's version decides the bytes that it writes. Most blobs are those of Debian 12's glslc, which older drivers know best; cooperative
// matrices need a later one.
const (
	pinned      = "2023.2"
	pinnedNewer = "2026.4"
)

// Compiler returns the version of shaderc that the installed glslc belongs to, or "" without glslc.
func Compiler() string {
	text, err := exec.Command("glslc", "--version").Output()
	version, ok := strings.CutPrefix(string(text), "shaderc ")
	if err != nil || !ok {
		return ""
	}
	version, _, _ = strings.Cut(strings.Fields(version)[0], "-")
	return strings.TrimPrefix(version, "v")
}

// Compile compiles s, whose source is in dir, to a SPIR-V file. It needs glslc of version s.Compiler.
func (s *Shader) Compile(dir, out string) error {
	args := []string{"-O", "--target-env=vulkan1.1", "-I", dir, "-o", out}
	for _, d := range s.Defines {
		args = append(args, "-D"+d)
	}
	text, err := exec.Command("glslc", append(args, filepath.Join(dir, s.Source))...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", s.Name, err, text)
	}
	return nil
}
