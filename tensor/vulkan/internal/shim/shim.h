// The calls of Vulkan that take arrays of structs or pNext chains, over minimal declarations of our own, so that no Vulkan headers are needed.
// Handles that are not dispatchable are 64 bits wide everywhere.
#pragma once
#include <stdint.h>
#include <stddef.h>

typedef int32_t result;

// What the machine's memory for messages of the validation layer holds.
enum { MESSAGE_BYTES = 64 << 10 };

typedef struct {
	void *handle; // VkInstance
	void *gipa;   // vkGetInstanceProcAddr
	uint64_t messenger;
} shim_instance;

// One queue family of a physical device.
typedef struct {
	uint32_t flags, count, timestamp_bits;
} shim_family;

// What a physical device offers beyond Vulkan 1.0's structs.
typedef struct {
	uint32_t subgroup_size, subgroup_stages, subgroup_operations;
	uint32_t storage16, float16; // 16-bit storage buffers; 16-bit arithmetic
	uint32_t memory_budget;      // VK_EXT_memory_budget is there
	uint32_t coopmat;            // VK_KHR_cooperative_matrix in compute shaders, with float16 and the memory model that it needs
	uint32_t statistics;         // VK_KHR_pipeline_executable_properties: never set by shim_query, on where pipelines are to be looked at
	uint64_t max_allocation;     // bytes of one allocation of memory
	uint64_t budget[16], usage[16];
	char driver[256];
} shim_caps;

// A product of cooperative matrices, m x k by k x n.
typedef struct {
	uint32_t m, n, k;
} shim_shape;

// A number that the driver's compiler gives of a pipeline.
typedef struct {
	char name[256];
	uint64_t value;
} shim_statistic;

typedef struct shim_device shim_device;

// One recorded command. The struct is filled by Go: keep Op in shim.go the same.
typedef struct {
	uint32_t kind;         // 0 dispatch, 1 copy, 2 fill
	uint32_t barrier;      // a barrier comes first
	uint64_t pipeline, layout, set;
	uint64_t src, dst;     // buffers
	uint64_t from, to, size;
	uint32_t groups[3];
	uint32_t words;        // of push, for fill: one
	uint32_t push[32];
} shim_op;

// One storage buffer of a descriptor set.
typedef struct {
	uint64_t buffer, offset, range;
} shim_binding;

void *shim_open_loader(const char *name);
result shim_create_instance(void *gipa, uint32_t api, int validate, shim_instance *out);
void shim_destroy_instance(shim_instance *i);
uint32_t shim_families(shim_instance *i, void *physical, shim_family *out, uint32_t room);
void shim_query(shim_instance *i, void *physical, shim_caps *out);
// Which products with float16 factors and float32 sums a subgroup can make, where coopmat is there.
uint32_t shim_shapes(shim_instance *i, void *physical, shim_shape *out, uint32_t room);
result shim_create_device(shim_instance *i, void *physical, uint32_t family, const shim_caps *on, void **device);
shim_device *shim_device_calls(shim_instance *i, void *device, const shim_caps *on);
void shim_free_device_calls(shim_device *d);

result shim_set_layout(shim_device *d, uint32_t bindings, uint64_t *out);
result shim_pipeline_layout(shim_device *d, uint64_t set_layout, uint32_t push_bytes, uint64_t *out);
result shim_descriptor_pool(shim_device *d, uint32_t sets, uint32_t buffers, uint64_t *out);
result shim_descriptor_set(shim_device *d, uint64_t pool, uint64_t layout, const shim_binding *b, uint32_t n, uint64_t *out);
result shim_pipeline(shim_device *d, uint64_t cache, uint64_t module, uint64_t layout, const uint32_t *spec, uint32_t n, uint32_t subgroup_size, uint64_t *out);
// What the compiler made of a pipeline, on a device with statistics: numbers, of which out has room for some, and the text of the last form that the
// pipeline had in the compiler, its assembly, which the caller frees; NULL without one.
uint32_t shim_statistics(shim_device *d, uint64_t pipeline, shim_statistic *out, uint32_t room);
char *shim_assembly(shim_device *d, uint64_t pipeline);
// With queries, a pool of timestamps, the times of begin and end go to the queries first and first + 1.
result shim_record(shim_device *d, void *commands, const shim_op *ops, uint32_t n, uint64_t queries, uint32_t first);
result shim_submit(shim_device *d, void *queue, void *commands, uint64_t fence);

// Messages of the validation layer since the start, and their text, cut at MESSAGE_BYTES.
uint32_t shim_messages(char *text, uint32_t room);
