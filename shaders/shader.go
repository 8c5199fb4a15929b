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
}

// all lists the shaders in the order of the table.
var all []*Shader

// All returns every shader of the table.
func All() []*Shader { return all }

func shader(name, source string, bindings int, defines ...string) *Shader {
	s := &Shader{Name: name, Source: source, Bindings: bindings, Defines: defines}
	all = append(all, s)
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
