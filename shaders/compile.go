package shaders

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// Compile writes the SPIR-V of s, whose source lies in dir, to the file out. It needs glslc, whose version decides the bytes: the
// committed blobs are those of Debian 12's (shaderc 2023.2).
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
