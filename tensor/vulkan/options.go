package vulkan

// Options selects and configures a device.
type Options struct {
	// Device is the index of a device in the order of Devices, such as "0", or a part of its name. The default is the environment variable
	// BEIT_VK_DEVICE, else the first discrete GPU, else the first GPU. A CPU driver (lavapipe, SwiftShader) is only used when it is named, or
	// with AllowCPU.
	Device string
	// AllowCPU allows a CPU driver where there is no GPU.
	AllowCPU bool
	// MaxMemory is the maximum of device memory to use, in bytes. The default is what the driver reports as free, or else four fifths of the
	// device's memory.
	MaxMemory int64
	// Validate turns on the validation layer, whose messages Messages returns. It makes everything slower.
	Validate bool
}

// Counts is what a device of OpenTrace was given.
type Counts struct {
	Dispatches  int   // runs of shaders
	Transfers   int   // copies and fills
	Barriers    int   // before some of them
	Bytes       int64 // of memory that they were bound to
	Submissions int   // to the queue
	Waits       int   // of the host for the device
}

// Info describes a device.
type Info struct {
	Index         int    `json:"index"`
	Name          string `json:"name"`
	Kind          string `json:"kind"` // "discrete", "integrated", "virtual", "cpu" or "other"
	Driver        string `json:"driver"`
	Vulkan        string `json:"vulkan"`             // version that the device offers
	Memory        int64  `json:"memory"`             // bytes of its largest heap of its own
	Unusable      string `json:"unusable,omitempty"` // why Open will not take it, "" when it will
	Subgroup      int    `json:"subgroup"`           // lanes
	Storage16     bool   `json:"storage16"`          // 16-bit values in buffers
	Float16       bool   `json:"float16"`            // 16-bit arithmetic
	CoopMatrix    bool   `json:"coopmat"`            // VK_KHR_cooperative_matrix
	MaxAllocation int64  `json:"max_allocation"`     // bytes of one tensor's memory, 0 when the driver does not say
	MaxRange      int64  `json:"max_range"`          // bytes that one shader can see of one tensor
	MaxGroups     int    `json:"max_groups"`         // on one axis
	Invocations   int    `json:"invocations"`        // in a workgroup
	Shared        int    `json:"shared"`             // bytes of shared memory
}
