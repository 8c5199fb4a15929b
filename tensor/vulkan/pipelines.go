//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// pipelines are built at first use, and kept by shader and specialization. What a driver refused once is not tried again.
type pipelines struct {
	layouts [vk.MaxBindings + 1]uint64
	modules map[*shaders.Shader]uint64
	built   map[pipelineKey]uint64
	refused map[pipelineKey]int // the driver's result
	cache   uint64
	path    string // of the cache's file, "" for none
	unsaved int    // pipelines built since the file was written
	saved   time.Time
}

type pipelineKey struct {
	shader *shaders.Shader
	n      int
	spec   [vk.MaxSpec]uint32
}

// pipelineName names a pipeline: the shader's name, then the constants.
func pipelineName(shader string, spec []uint32) string {
	return strings.TrimSpace(shader + " " + strings.Trim(fmt.Sprint(spec), "[]"))
}

func (c *pipelines) open(b *backend) error {
	c.modules, c.built, c.refused = map[*shaders.Shader]uint64{}, map[pipelineKey]uint64{}, map[pipelineKey]int{}
	for n := 1; n <= vk.MaxBindings; n++ {
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
	var code int
	if c.cache, code = b.calls.Cache(data); code != 0 {
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
	if data, code := b.calls.CacheData(c.cache); code == 0 && len(data) > header { // some drivers keep nothing
		_ = saveCache(c.path, data) // it only saves time
	}
}

func (c *pipelines) close(b *backend) {
	for _, p := range c.built {
		b.calls.Destroy(vk.Pipeline, p)
	}
	for _, m := range c.modules {
		b.calls.Destroy(vk.Module, m)
	}
	for _, l := range c.layouts {
		b.calls.Destroy(vk.PipelineLayout, l)
	}
	b.calls.Destroy(vk.PipelineCache, c.cache)
}

// get returns the pipeline of a shader with its constants, and its layout. It builds the pipeline at the first call; code is not 0 where the
// driver refuses it, or has no room to compile it now.
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
		if !outOfMemory(code) {
			c.refused[key] = code
		}
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
		if module, code = b.calls.Module(s.SPIRV()); code != 0 {
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
	return b.calls.Pipeline(c.cache, module, layout, spec, subgroup)
}

// builds reports whether the driver takes a pipeline, for operations that can do without it. A device that has failed, or has no room to compile now,
// takes everything: the dispatch tells of that.
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
	return code == 0 || code == deviceLost || outOfMemory(code)
}

// refuse ends the operation at work, which needs a pipeline that the driver did not build: what it still dispatches is not done, and End says so.
func (b *backend) refuse(s *shaders.Shader, code int) {
	switch {
	case code == deviceLost:
		b.fail(fault(s.Name, "", code))
	case outOfMemory(code):
		b.refused = fault(b.op, b.info.Name, code)
		b.refused.Detail = "there is no room to compile shader " + s.Name
	default:
		b.refused = refusal(b.op, b.info.Name, s.Name, code)
	}
}

// refusals says which shaders the driver refuses, a line each.
func (c *pipelines) refusals() (lines []string) {
	for key, code := range c.refused {
		lines = append(lines, fmt.Sprintf("the driver refuses shader %s (%s): update it if an operation fails for want of that", key.shader.Name, resultName(code)))
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
