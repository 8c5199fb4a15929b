package vulkan

// Options choose a device.
type Options struct {
	// Device is the index of a device in the order of Devices, such as "0", or a part of its name; "" takes the environment variable
	// BEIT_VK_DEVICE, or else chooses the first discrete GPU, or the first GPU. A device that is a CPU in disguise is used only when it
	// is named, or with AllowCPU.
	Device string
	// AllowCPU lets the choice fall on a CPU driver (lavapipe, SwiftShader) where there is no GPU.
	AllowCPU bool
	// MaxMemory is the most device memory to take, in bytes; 0 for what the driver says is free, or else four fifths of the device's.
	MaxMemory int64
	// Validate turns on the validation layer. What it says is found with Messages. It slows everything down.
	Validate bool
}

// Info describes one device.
type Info struct {
	Index       int    `json:"index"`
	Name        string `json:"name"`
	Kind        string `json:"kind"` // "discrete", "integrated", "virtual", "cpu" or "other"
	Driver      string `json:"driver"`
	Vulkan      string `json:"vulkan"`             // version that the device offers
	Memory      int64  `json:"memory"`             // bytes of its largest heap of its own
	Unusable    string `json:"unusable,omitempty"` // why Open will not take it, "" when it will
	Subgroup    int    `json:"subgroup"`           // lanes
	Storage16   bool   `json:"storage16"`          // 16-bit values in buffers
	Float16     bool   `json:"float16"`            // 16-bit arithmetic
	CoopMatrix  bool   `json:"coopmat"`            // VK_KHR_cooperative_matrix
	MaxRange    int64  `json:"max_range"`          // bytes that one shader can see of one tensor
	MaxGroups   int    `json:"max_groups"`         // on one axis
	Invocations int    `json:"invocations"`        // in a workgroup
	Shared      int    `json:"shared"`             // bytes of shared memory
}
