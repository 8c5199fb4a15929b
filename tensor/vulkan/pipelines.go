//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"unsafe"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/shim"
	vk "github.com/vulkan-go/vulkan"
)

// pipelines are built at first use, and kept by shader and specialization.
type pipelines struct {
	layouts [shim.MaxBindings + 1]uint64
	modules map[*shaders.Shader]uint64
	built   map[pipelineKey]uint64
	cache   vk.PipelineCache
}

type pipelineKey struct {
	shader *shaders.Shader
	n      int
	spec   [shim.MaxSpec]uint32
}

func (c *pipelines) open(b *backend) error {
	c.modules, c.built = map[*shaders.Shader]uint64{}, map[pipelineKey]uint64{}
	for n := 1; n <= shim.MaxBindings; n++ {
		var code int
		if c.layouts[n], code = b.calls.PipelineLayout(b.sets.layouts[n]); code != 0 {
			return fault("open", b.info.Name, code)
		}
	}
	return nil
}

func (c *pipelines) close(b *backend) {
	for _, p := range c.built {
		vk.DestroyPipeline(b.device, vk.Pipeline(pointer(p)), nil)
	}
	for _, m := range c.modules {
		vk.DestroyShaderModule(b.device, vk.ShaderModule(pointer(m)), nil)
	}
	for _, l := range c.layouts {
		if l != 0 {
			vk.DestroyPipelineLayout(b.device, vk.PipelineLayout(pointer(l)), nil)
		}
	}
	if c.cache != vk.NullPipelineCache {
		vk.DestroyPipelineCache(b.device, c.cache, nil)
	}
}

func (c *pipelines) get(b *backend, s *shaders.Shader, spec []uint32) (layout, pipeline uint64, code int) {
	key := pipelineKey{shader: s, n: len(spec)}
	copy(key.spec[:], spec)
	layout = c.layouts[s.Bindings]
	if p, ok := c.built[key]; ok {
		return layout, p, 0
	}
	module, ok := c.modules[s]
	if !ok {
		if module, code = b.module(s.SPIRV()); code != 0 {
			return 0, 0, code
		}
		c.modules[s] = module
	}
	pipeline, code = b.calls.Pipeline(uint64(uintptr(unsafe.Pointer(c.cache))), module, layout, spec, 0)
	if code == 0 {
		c.built[key] = pipeline
	}
	return layout, pipeline, code
}

// module hands SPIR-V to the driver.
func (b *backend) module(code []byte) (uint64, int) {
	words := unsafe.Slice((*uint32)(unsafe.Pointer(&code[0])), len(code)/4)
	info := vk.ShaderModuleCreateInfo{SType: vk.StructureTypeShaderModuleCreateInfo, CodeSize: uint(len(code)), PCode: words}
	defer info.Free()
	var m vk.ShaderModule
	r := cell(&m, func(p *vk.ShaderModule) vk.Result { return vk.CreateShaderModule(b.device, &info, nil, p) })
	return uint64(uintptr(unsafe.Pointer(m))), r
}

// pointer turns a handle of the shim into one of the binding: both are the 64 bits that the driver gave.
func pointer(handle uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&handle)) }
