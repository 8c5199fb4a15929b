//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"time"
	"unsafe"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/shim"
	vk "github.com/vulkan-go/vulkan"
)

// pipelines are built at first use, and kept by shader and specialization. What a driver refused once is not tried again.
type pipelines struct {
	layouts [shim.MaxBindings + 1]uint64
	modules map[*shaders.Shader]uint64
	built   map[pipelineKey]uint64
	refused map[pipelineKey]int // the driver's result
	cache   vk.PipelineCache
	path    string // of the cache's file, "" for none
	unsaved int    // pipelines built since the file was written
	saved   time.Time
}

type pipelineKey struct {
	shader *shaders.Shader
	n      int
	spec   [shim.MaxSpec]uint32
}

func (c *pipelines) open(b *backend) error {
	c.modules, c.built, c.refused = map[*shaders.Shader]uint64{}, map[pipelineKey]uint64{}, map[pipelineKey]int{}
	for n := 1; n <= shim.MaxBindings; n++ {
		var code int
		if c.layouts[n], code = b.calls.PipelineLayout(b.sets.layouts[n]); code != 0 {
			return fault("open", b.info.Name, code)
		}
	}
	return c.openCache(b)
}

// openCache creates the driver's cache, with what its file of an earlier run holds.
func (c *pipelines) openCache(b *backend) error {
	p := b.properties
	if folder := cacheFolder(); folder != "" {
		c.path = filepath.Join(folder, fmt.Sprintf("vk-%x-%x-%x-%x", p.VendorID, p.DeviceID, p.PipelineCacheUUID, p.DriverVersion))
	}
	c.saved = time.Now()
	data := loadCache(c.path, cacheHeader(p.VendorID, p.DeviceID, p.PipelineCacheUUID))
	info := vk.PipelineCacheCreateInfo{SType: vk.StructureTypePipelineCacheCreateInfo, InitialDataSize: uint(len(data)), PInitialData: unsafe.Pointer(unsafe.SliceData(data))}
	code := cell(&c.cache, func(p *vk.PipelineCache) vk.Result { return vk.CreatePipelineCache(b.device, &info, nil, p) })
	runtime.KeepAlive(data)
	info.Free()
	if code != 0 {
		return fault("open", b.info.Name, code)
	}
	return nil
}

// save writes the cache's file if pipelines were built since it was written, and that is a while ago or now is the last time.
func (c *pipelines) save(b *backend, last bool) {
	const while, header = 10 * time.Second, 32
	if c.path == "" || c.unsaved == 0 || !last && time.Since(c.saved) < while {
		return
	}
	c.unsaved, c.saved = 0, time.Now()
	var n uint
	if cell(&n, func(n *uint) vk.Result { return vk.GetPipelineCacheData(b.device, c.cache, n, nil) }) != 0 || n <= header {
		return // some drivers keep nothing
	}
	data := make([]byte, n)
	if cell(&n, func(n *uint) vk.Result {
		return vk.GetPipelineCacheData(b.device, c.cache, n, unsafe.Pointer(&data[0]))
	}) == 0 {
		_ = saveCache(c.path, data[:n]) // it only saves time
	}
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

// get returns the pipeline of a shader with its constants, and its layout. It builds the pipeline at the first call; code is not 0 where the
// driver refuses it.
func (c *pipelines) get(b *backend, s *shaders.Shader, spec []uint32) (layout, pipeline uint64, code int) {
	key := pipelineKey{shader: s, n: len(spec)}
	copy(key.spec[:], spec)
	layout = c.layouts[s.Bindings]
	if p, ok := c.built[key]; ok {
		return layout, p, 0
	}
	if code, ok := c.refused[key]; ok {
		return 0, 0, code
	}
	pipeline, code = c.build(b, s, layout, spec)
	if code != 0 {
		c.refused[key] = code
		return 0, 0, code
	}
	c.built[key] = pipeline
	c.unsaved++
	return layout, pipeline, 0
}

func (c *pipelines) build(b *backend, s *shaders.Shader, layout uint64, spec []uint32) (pipeline uint64, code int) {
	if code = b.hook("pipeline " + s.Name); code != 0 {
		return 0, code
	}
	module, ok := c.modules[s]
	if !ok {
		if module, code = b.module(s.SPIRV()); code != 0 {
			return 0, code
		}
		c.modules[s] = module
	}
	subgroup := uint32(0)
	if s.Cooperative {
		subgroup = uint32(b.info.Subgroup)
	}
	if b.ignoring != nil {
		spec = b.ignoring(s, slices.Clone(spec))
	}
	return b.calls.Pipeline(uint64(uintptr(unsafe.Pointer(c.cache))), module, layout, spec, subgroup)
}

// builds reports whether the driver takes a pipeline, for operations that can do without it. A device that has failed takes everything.
func (b *backend) builds(s *shaders.Shader, spec []uint32) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return true
	}
	_, _, code := b.pipes.get(b, s, spec)
	if code == deviceLost {
		b.fail(fault(s.Name, "", code))
	}
	return code == 0 || code == deviceLost
}

// refuse ends the operation at work, which needs a pipeline that the driver refuses: what it still dispatches is not done, and End says so.
func (b *backend) refuse(s *shaders.Shader, code int) {
	if code == deviceLost {
		b.fail(fault(s.Name, "", code))
		return
	}
	b.refused = refusal(b.op, b.info.Name, s.Name, code)
}

// refusals says which shaders the driver refuses, a line each.
func (c *pipelines) refusals() (lines []string) {
	for key, code := range c.refused {
		lines = append(lines, fmt.Sprintf("the driver refuses shader %s (%s): update it if an operation fails for want of that", key.shader.Name, resultName(code)))
	}
	slices.Sort(lines)
	return slices.Compact(lines)
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
