//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// version is the Vulkan that is asked for; a device must offer it.
const version = 1<<22 | 1<<12

// loaders names the Vulkan loader of each system. BEIT_VK_LOADER names another one.
func loaders() []string {
	if path := os.Getenv("BEIT_VK_LOADER"); path != "" {
		return []string{path}
	}
	switch runtime.GOOS {
	case "windows":
		return []string{"vulkan-1.dll"}
	case "darwin":
		return []string{"libvulkan.1.dylib", "/opt/homebrew/lib/libvulkan.1.dylib", "/usr/local/lib/libvulkan.1.dylib", "libMoltenVK.dylib"}
	}
	return []string{"libvulkan.so.1", "libvulkan.so"}
}

// instance is the process's one instance.
type instance struct {
	vk.Instance
	validate bool
}

var (
	instanceLock sync.Mutex
	shared       *instance
)

// getInstance creates the instance at first use. The validation layer is on if the first use asks for it, or BEIT_VK_VALIDATE=1.
func getInstance(op string, validate bool) (*instance, error) {
	instanceLock.Lock()
	defer instanceLock.Unlock()
	validate = validate || os.Getenv("BEIT_VK_VALIDATE") == "1"
	if shared != nil {
		if validate && !shared.validate {
			return nil, &Error{Op: op, Detail: "the validation layer must be asked for by the first use of Vulkan in a process, or by BEIT_VK_VALIDATE=1"}
		}
		return shared, nil
	}
	i, code := openInstance(loaders(), version, validate)
	switch {
	case code == vk.NoLoader:
		return nil, &Error{Op: op, Err: ErrUnavailable, Detail: "no Vulkan loader (" + loaders()[0] + "): install the GPU's driver or your system's Vulkan loader"}
	case code == vk.BadLoader:
		return nil, &Error{Op: op, Err: ErrUnavailable, Detail: "the Vulkan loader (" + loaders()[0] + ") lacks calls: install your system's newest one"}
	case code == -9:
		return nil, &Error{Op: op, Err: ErrUnavailable, Detail: "no Vulkan driver found: install the GPU's driver"}
	case code == -6:
		return nil, &Error{Op: op, Detail: "no validation layer (VK_LAYER_KHRONOS_validation): install it, or do without"}
	case code != 0:
		return nil, fault(op+": create the instance", "", code)
	}
	shared = &instance{Instance: i, validate: validate}
	return shared, nil
}

// Messages returns the number of warnings and errors of the validation layer since the start of the process, and the text of the first
// ones.
func Messages() (int, string) {
	instanceLock.Lock()
	defer instanceLock.Unlock()
	if shared == nil {
		return 0, ""
	}
	return shared.Messages()
}

// physical is one device that the drivers offer.
type physical struct {
	handle     uint64
	properties vk.Properties
	limits     vk.Limits
	memory     vk.Memory
	caps       vk.Caps
	family     uint32 // of the queue for compute
	stampBits  uint32 // of its timestamps
	info       Info
}

// physicals lists what the drivers offer.
func (i *instance) physicals(op string) ([]physical, error) {
	handles, code := i.Physicals()
	if code != 0 {
		return nil, fault(op+": enumerate devices", "", code)
	}
	if len(handles) == 0 {
		return nil, &Error{Op: op, Err: ErrUnavailable, Detail: "no Vulkan driver found a device: install the GPU's driver"}
	}
	all := make([]physical, len(handles))
	for k := range all {
		all[k] = i.describe(k, handles[k])
	}
	return all, nil
}

// kinds are the types of physical devices, in Vulkan's order.
var kinds = []string{"other", "integrated", "discrete", "virtual", "cpu"}

func (i *instance) describe(index int, handle uint64) physical {
	p := physical{handle: handle, properties: i.Properties(handle), memory: i.Memory(handle), caps: i.Query(handle)}
	p.limits = p.properties.Limits
	p.switchOff()
	kind := kinds[0]
	if t := p.properties.Type; t < uint32(len(kinds)) {
		kind = kinds[t]
	}
	v := p.properties.APIVersion
	p.info = Info{
		Index: index, Name: p.properties.Name, Kind: kind, Driver: p.caps.Driver,
		Vulkan:   fmt.Sprintf("%d.%d.%d", v>>22, v>>12&0x3ff, v&0xfff),
		Subgroup: int(p.caps.SubgroupSize), Storage16: p.caps.Storage16, Float16: p.caps.Float16, CoopMatrix: p.caps.CoopMatrix,
		MaxAllocation: int64(min(p.caps.MaxAllocation, math.MaxInt64)),
		MaxRange:      int64(p.limits.MaxStorageBufferRange), MaxGroups: int(p.limits.MaxComputeWorkGroupCount[0]),
		Invocations: int(p.limits.MaxComputeWorkGroupInvocations), Shared: int(p.limits.MaxComputeSharedMemorySize),
	}
	for _, heap := range p.memory.Heaps {
		if heap.Flags&deviceLocal != 0 {
			p.info.Memory = max(p.info.Memory, int64(heap.Size))
		}
	}
	p.info.Unusable = p.lacks(i.Families(handle))
	return p
}

// switchedOff lists the features that the environment forbids: BEIT_VK_DISABLE_F16=1, _SUBGROUP, _COOPMAT.
func switchedOff() []string {
	var off []string
	for _, name := range []string{"F16", "SUBGROUP", "COOPMAT"} {
		if os.Getenv("BEIT_VK_DISABLE_"+name) == "1" {
			off = append(off, name)
		}
	}
	return off
}

// switchOff forgets them.
func (p *physical) switchOff() {
	for _, name := range switchedOff() {
		switch name {
		case "F16":
			p.caps.Storage16, p.caps.Float16, p.caps.CoopMatrix = false, false, false
		case "SUBGROUP":
			p.caps.SubgroupOperations = 0
		case "COOPMAT":
			p.caps.CoopMatrix = false
		}
	}
}

// leastRange is what every Vulkan device must let a shader see of a buffer.
const leastRange = 1<<27 - 1

// lacks finds the queue and says what is missing, "" when nothing is.
func (p *physical) lacks(families []vk.Family) string {
	const compute, graphics = 2, 1
	found := false
	for k, f := range families {
		if f.Flags&compute != 0 && f.Count > 0 && (!found || f.Flags&graphics == 0) {
			p.family, p.stampBits, found = uint32(k), f.TimestampBits, true
		}
	}
	l := p.limits
	switch {
	case p.properties.APIVersion < version:
		return "it offers Vulkan " + p.info.Vulkan + ", 1.1 is needed"
	case !found:
		return "it has no queue for compute"
	case l.MaxComputeWorkGroupInvocations < 128 || l.MaxComputeSharedMemorySize < 16<<10:
		return fmt.Sprintf("its workgroups have %d invocations and %d bytes of shared memory, 128 and 16384 are needed", l.MaxComputeWorkGroupInvocations, l.MaxComputeSharedMemorySize)
	case l.MaxPushConstantsSize < 4*vk.MaxPush:
		return fmt.Sprintf("it takes %d bytes of push constants, %d are needed", l.MaxPushConstantsSize, 4*vk.MaxPush)
	case l.MaxStorageBufferRange < leastRange:
		return fmt.Sprintf("a shader sees %d bytes of a buffer, %d are needed", l.MaxStorageBufferRange, leastRange)
	case l.MaxPerStageDescriptorStorageBuffers < vk.MaxBindings:
		return fmt.Sprintf("a shader sees %d buffers, %d are needed", l.MaxPerStageDescriptorStorageBuffers, vk.MaxBindings)
	}
	return ""
}

// names lists devices with their indices.
func names(all []physical) string {
	var list []string
	for _, p := range all {
		list = append(list, fmt.Sprintf("%d (%s)", p.info.Index, p.info.Name))
	}
	return strings.Join(list, ", ")
}

// Devices lists the devices of the installed drivers, in the order of Options.Device. The error says why there is none.
func Devices(ctx context.Context) ([]Info, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i, err := getInstance("list devices", false)
	if err != nil {
		return nil, err
	}
	all, err := i.physicals("list devices")
	infos := make([]Info, len(all))
	for k := range all {
		infos[k] = all[k].info
	}
	return infos, err
}

// choose picks the device that o and the environment ask for.
func (i *instance) choose(o Options) (physical, error) {
	const op = "open"
	all, err := i.physicals(op)
	if err != nil {
		return physical{}, err
	}
	if text := cmp.Or(o.Device, os.Getenv("BEIT_VK_DEVICE")); text != "" {
		for _, p := range all {
			index, err := strconv.Atoi(text)
			if err == nil && index != p.info.Index || err != nil && !strings.Contains(strings.ToLower(p.info.Name), strings.ToLower(text)) {
				continue
			}
			if p.info.Unusable != "" {
				return physical{}, &Error{Op: op, Device: p.info.Name, Err: ErrUnavailable, Detail: p.info.Unusable}
			}
			return p, nil
		}
		return physical{}, &Error{Op: op, Err: ErrUnavailable, Detail: fmt.Sprintf("there is no device %q: they are %s", text, names(all))}
	}
	var why string
	for _, kind := range []string{"discrete", "integrated", "virtual", "other", "cpu"} {
		for _, p := range all {
			switch {
			case p.info.Kind != kind:
			case p.info.Unusable != "":
				why = p.info.Name + ": " + p.info.Unusable
			case kind == "cpu" && !o.AllowCPU:
				why = fmt.Sprintf("only a CPU driver is there (%s); ask for it by its index, %d, if you mean it", p.info.Name, p.info.Index)
			default:
				return p, nil
			}
		}
	}
	return physical{}, &Error{Op: op, Err: ErrUnavailable, Detail: why}
}
