package shaders

import (
	"embed"
	"fmt"
)

//go:embed spv
var blobs embed.FS

// Shader is one compiled compute shader.
type Shader struct {
	Name     string   // of spv/NAME.spv
	Source   string   // of the GLSL file
	Bindings int      // storage buffers
	Defines  []string // "NAME" or "NAME=VALUE" for the compiler
	Compiler string   // version of shaderc that makes the blob

	Cooperative bool // has cooperative matrices, so its subgroups must be full and of a known size
}

// all lists the shaders in the order of the table.
var all []*Shader

// All returns all shaders, in the order of the table.
func All() []*Shader { return all }

func shader(name, source string, bindings int, defines ...string) *Shader {
	s := &Shader{Name: name, Source: source, Bindings: bindings, Defines: defines, Compiler: pinned}
	all = append(all, s)
	return s
}

// cooperative is a shader that uses cooperative matrices, which the pinned compiler does not support.
func cooperative(name, source string, bindings int, defines ...string) *Shader {
	s := shader(name, source, bindings, defines...)
	s.Compiler, s.Cooperative = pinnedNewer, true
	return s
}

// SPIRV returns the compiled code.
func (s *Shader) SPIRV() []byte {
	b, err := blobs.ReadFile("spv/" + s.Name + ".spv")
	if err != nil {
		panic(fmt.Sprintf("shaders: %s is not built: run `go generate ./shaders`", s.Name))
	}
	return b
}
