//go:build cgo && (linux && !android || windows || freebsd || darwin && vulkan) && (amd64 || arm64) && !novulkan

#include "shim.h"
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#endif

typedef void (*function)(void);
typedef function (*get_proc)(void *, const char *);

// The loader stays open for the life of the process: drivers do not survive its unloading.
void *shim_open_loader(const char *name) {
#ifdef _WIN32
	HMODULE lib = LoadLibraryA(name);
	return lib ? (void *)GetProcAddress(lib, "vkGetInstanceProcAddr") : NULL;
#else
	void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	return lib ? dlsym(lib, "vkGetInstanceProcAddr") : NULL;
#endif
}

static function instance_call(shim_instance *i, const char *name) { return ((get_proc)i->gipa)(i->handle, name); }

// Messages

#ifdef _WIN32
static SRWLOCK message_lock = SRWLOCK_INIT;
static void lock(void) { AcquireSRWLockExclusive(&message_lock); }
static void unlock(void) { ReleaseSRWLockExclusive(&message_lock); }
#else
static pthread_mutex_t message_lock = PTHREAD_MUTEX_INITIALIZER;
static void lock(void) { pthread_mutex_lock(&message_lock); }
static void unlock(void) { pthread_mutex_unlock(&message_lock); }
#endif

static uint32_t message_count, message_used;
static char message_text[MESSAGE_BYTES];

typedef struct {
	uint32_t type;
	const void *next;
	uint32_t flags;
	const char *name;
	int32_t number;
	const char *message;
} callback_data;

static uint32_t on_message(uint32_t severity, uint32_t types, const callback_data *data, void *user) {
	(void)severity, (void)types, (void)user;
	lock();
	message_count++;
	size_t n = strlen(data->message);
	if (message_used + n + 2 <= MESSAGE_BYTES) {
		memcpy(message_text + message_used, data->message, n);
		message_used += (uint32_t)n;
		message_text[message_used++] = '\n';
	}
	unlock();
	return 0;
}

uint32_t shim_messages(char *text, uint32_t room) {
	lock();
	uint32_t n = message_used < room ? message_used : room - 1;
	memcpy(text, message_text, n);
	text[n] = 0;
	uint32_t count = message_count;
	unlock();
	return count;
}

// Instance

typedef struct {
	char name[256];
	uint32_t version;
} extension;

static int has_extension(const extension *all, uint32_t n, const char *name) {
	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(all[i].name, name)) return 1;
	}
	return 0;
}

result shim_create_instance(void *gipa, uint32_t api, int validate, shim_instance *out) {
	memset(out, 0, sizeof *out);
	out->gipa = gipa;
	typedef result (*list_call)(const char *, uint32_t *, extension *);
	typedef result (*create_call)(const void *, const void *, void **);
	list_call list = (list_call)instance_call(out, "vkEnumerateInstanceExtensionProperties");
	create_call create = (create_call)instance_call(out, "vkCreateInstance");
	if (!list || !create) return -3;
	uint32_t n = 0;
	list(NULL, &n, NULL);
	extension *all = calloc(n ? n : 1, sizeof *all);
	if (!all) return -1;
	list(NULL, &n, all);
	const char *wanted[2];
	uint32_t count = 0, flags = 0;
	if (has_extension(all, n, "VK_KHR_portability_enumeration")) {
		wanted[count++] = "VK_KHR_portability_enumeration";
		flags = 1;
	}
	if (validate) wanted[count++] = "VK_EXT_debug_utils";
	free(all);
	const char *layer = "VK_LAYER_KHRONOS_validation";
	struct {
		uint32_t type;
		const void *next;
		const char *application;
		uint32_t application_version;
		const char *engine;
		uint32_t engine_version, api;
	} app = {0, NULL, "gobeit", 1, "gobeit", 1, api};
	struct {
		uint32_t type;
		const void *next;
		uint32_t flags;
		const void *app;
		uint32_t layers;
		const char *const *layer_names;
		uint32_t extensions;
		const char *const *extension_names;
	} info = {1, NULL, flags, &app, validate ? 1u : 0u, &layer, count, wanted};
	result r = create(&info, NULL, &out->handle);
	if (r != 0 || !validate) return r;
	struct {
		uint32_t type;
		const void *next;
		uint32_t flags, severity, types;
		uint32_t (*callback)(uint32_t, uint32_t, const callback_data *, void *);
		void *user;
	} messenger = {1000128004, NULL, 0, 0x1100, 0x7, on_message, NULL}; // warnings and errors of every type
	typedef result (*messenger_call)(void *, const void *, const void *, uint64_t *);
	messenger_call make = (messenger_call)instance_call(out, "vkCreateDebugUtilsMessengerEXT");
	return make ? make(out->handle, &messenger, NULL, &out->messenger) : -7;
}

void shim_destroy_instance(shim_instance *i) {
	typedef void (*messenger_call)(void *, uint64_t, const void *);
	typedef void (*destroy_call)(void *, const void *);
	if (i->messenger) ((messenger_call)instance_call(i, "vkDestroyDebugUtilsMessengerEXT"))(i->handle, i->messenger, NULL);
	((destroy_call)instance_call(i, "vkDestroyInstance"))(i->handle, NULL);
}

// Physical devices

uint32_t shim_families(shim_instance *i, void *physical, shim_family *out, uint32_t room) {
	typedef struct {
		uint32_t flags, count, timestamp_bits, granularity[3];
	} family;
	typedef void (*call)(void *, uint32_t *, family *);
	call get = (call)instance_call(i, "vkGetPhysicalDeviceQueueFamilyProperties");
	family all[32];
	uint32_t n = 0;
	get(physical, &n, NULL);
	if (n > 32) n = 32;
	if (n > room) n = room;
	get(physical, &n, all);
	for (uint32_t k = 0; k < n; k++) {
		out[k] = (shim_family){all[k].flags, all[k].count, all[k].timestamp_bits};
	}
	return n;
}

typedef struct {
	uint32_t type;
	void *next;
	uint32_t on[4];
} features; // of any extension with at most four features

enum { COMPUTE_STAGE = 0x20 };

enum {
	FEATURES_16BIT_STORAGE = 1000083000,
	FEATURES_FLOAT16_INT8 = 1000082000,
	FEATURES_COOPERATIVE_MATRIX = 1000506000,
	FEATURES_MEMORY_MODEL = 1000211000,
	FEATURES_SUBGROUP_SIZE = 1000225002,
	FEATURES_PIPELINE_EXECUTABLES = 1000269000,
};

static extension *device_extensions(shim_instance *i, void *physical, uint32_t *n) {
	typedef result (*call)(void *, const char *, uint32_t *, extension *);
	call list = (call)instance_call(i, "vkEnumerateDeviceExtensionProperties");
	*n = 0;
	list(physical, NULL, n, NULL);
	extension *all = calloc(*n ? *n : 1, sizeof *all);
	if (all) list(physical, NULL, n, all);
	return all;
}

void shim_query(shim_instance *i, void *physical, shim_caps *out) {
	memset(out, 0, sizeof *out);
	typedef void (*call)(void *, void *);
	uint32_t n;
	extension *all = device_extensions(i, physical, &n);
	if (!all) return;
	int small_types = has_extension(all, n, "VK_KHR_shader_float16_int8");
	int matrix = small_types && has_extension(all, n, "VK_KHR_cooperative_matrix") && has_extension(all, n, "VK_KHR_vulkan_memory_model") &&
		has_extension(all, n, "VK_EXT_subgroup_size_control");
	int driver_names = has_extension(all, n, "VK_KHR_driver_properties");
	out->memory_budget = has_extension(all, n, "VK_EXT_memory_budget");
	free(all);

	call get_features = (call)instance_call(i, "vkGetPhysicalDeviceFeatures2");
	if (get_features) {
		features storage = {FEATURES_16BIT_STORAGE, NULL, {0}}, small = {FEATURES_FLOAT16_INT8, NULL, {0}};
		features coop = {FEATURES_COOPERATIVE_MATRIX, NULL, {0}}, model = {FEATURES_MEMORY_MODEL, &coop, {0}}, subgroups = {FEATURES_SUBGROUP_SIZE, &model, {0}};
		if (small_types) storage.next = &small;
		if (matrix) small.next = &subgroups;
		struct {
			uint32_t type;
			void *next;
			uint32_t core[64];
		} f = {1000059000, &storage, {0}};
		get_features(physical, &f);
		out->storage16 = storage.on[0];
		out->float16 = small.on[0];
		out->coopmat = coop.on[0] && small.on[0] && model.on[0] && model.on[1] && subgroups.on[0] && subgroups.on[1];
	}
	call get_properties = (call)instance_call(i, "vkGetPhysicalDeviceProperties2");
	if (get_properties) {
		struct {
			uint32_t type;
			void *next;
			uint32_t id;
			char name[256], info[256];
			uint8_t version[4];
		} driver = {1000196000, NULL, 0, "", "", {0}};
		struct {
			uint32_t type;
			void *next;
			uint32_t descriptors;
			uint64_t bytes;
		} largest = {1000168000, driver_names ? &driver : NULL, 0, 0};
		struct {
			uint32_t type;
			void *next;
			uint32_t size, stages, operations, quad;
		} subgroup = {1000094000, &largest, 0, 0, 0, 0};
		struct {
			uint32_t type;
			void *next;
			uint32_t stages;
		} coop = {1000506002, &subgroup, 0};
		struct {
			uint32_t type;
			void *next;
			uint32_t least, most, groups, stages;
		} control = {1000225000, &coop, 0, 0, 0, 0};
		struct {
			uint32_t type;
			void *next;
			uint64_t core[256];
		} p = {1000059001, out->coopmat ? (void *)&control : &subgroup, {0}};
		get_properties(physical, &p);
		out->coopmat = out->coopmat && (coop.stages & control.stages & COMPUTE_STAGE);
		out->max_allocation = largest.bytes;
		out->subgroup_size = subgroup.size;
		out->subgroup_stages = subgroup.stages;
		out->subgroup_operations = subgroup.operations;
		strncpy(out->driver, driver.name, 127);
		if (driver.info[0]) {
			strcat(out->driver, " ");
			strncat(out->driver, driver.info, 120);
		}
	}
	call get_memory = (call)instance_call(i, "vkGetPhysicalDeviceMemoryProperties2");
	if (get_memory && out->memory_budget) {
		struct {
			uint32_t type;
			void *next;
			uint64_t budget[16], usage[16];
		} budget = {1000237000, NULL, {0}, {0}};
		struct {
			uint32_t type;
			void *next;
			uint64_t core[128];
		} m = {1000059006, &budget, {0}};
		get_memory(physical, &m);
		memcpy(out->budget, budget.budget, sizeof budget.budget);
		memcpy(out->usage, budget.usage, sizeof budget.usage);
	}
}

uint32_t shim_shapes(shim_instance *i, void *physical, shim_shape *out, uint32_t room) {
	enum { FLOAT16 = 0, FLOAT32 = 1, SUBGROUP = 3, MOST = 256 };
	typedef struct {
		uint32_t type;
		void *next;
		uint32_t m, n, k, a, b, c, result, saturating, scope;
	} properties;
	typedef result (*call)(void *, uint32_t *, properties *);
	call get = (call)instance_call(i, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
	properties *all = calloc(MOST, sizeof *all);
	uint32_t n = MOST, found = 0;
	for (uint32_t k = 0; all && k < MOST; k++) all[k].type = 1000506001;
	if (get && all && get(physical, &n, all) >= 0) {
		for (uint32_t k = 0; k < n && found < room; k++) {
			const properties *p = &all[k];
			if (p->a == FLOAT16 && p->b == FLOAT16 && p->c == FLOAT32 && p->result == FLOAT32 && p->scope == SUBGROUP) {
				out[found++] = (shim_shape){p->m, p->n, p->k};
			}
		}
	}
	free(all);
	return found;
}

// Device

result shim_create_device(shim_instance *i, void *physical, uint32_t family, const shim_caps *on, void **device) {
	uint32_t n;
	extension *all = device_extensions(i, physical, &n);
	if (!all) return -1;
	const char *names[8];
	uint32_t count = 0;
	if (has_extension(all, n, "VK_KHR_portability_subset")) names[count++] = "VK_KHR_portability_subset";
	free(all);
	if (on->memory_budget) names[count++] = "VK_EXT_memory_budget";
	if (on->float16) names[count++] = "VK_KHR_shader_float16_int8";
	features storage = {FEATURES_16BIT_STORAGE, NULL, {1, 0, 0, 0}}, small = {FEATURES_FLOAT16_INT8, NULL, {1, 0, 0, 0}};
	features coop = {FEATURES_COOPERATIVE_MATRIX, NULL, {1, 0, 0, 0}}, executables = {FEATURES_PIPELINE_EXECUTABLES, NULL, {1, 0, 0, 0}};
	features model = {FEATURES_MEMORY_MODEL, &coop, {1, 1, 0, 0}};           // with atomics on buffers, as other shaders have them
	features subgroups = {FEATURES_SUBGROUP_SIZE, &model, {1, 1, 0, 0}}; // of a given size, and full
	void *next = NULL;
	if (on->storage16) storage.next = next, next = &storage;
	if (on->float16) small.next = next, next = &small;
	if (on->coopmat) {
		names[count++] = "VK_KHR_cooperative_matrix";
		names[count++] = "VK_KHR_vulkan_memory_model";
		names[count++] = "VK_EXT_subgroup_size_control";
		coop.next = next, next = &subgroups;
	}
	if (on->statistics) {
		names[count++] = "VK_KHR_pipeline_executable_properties";
		executables.next = next, next = &executables;
	}
	float priority = 1;
	struct {
		uint32_t type;
		const void *next;
		uint32_t flags, family, count;
		const float *priorities;
	} queue = {2, NULL, 0, family, 1, &priority};
	struct {
		uint32_t type;
		const void *next;
		uint32_t flags, queues;
		const void *queue;
		uint32_t layers;
		const char *const *layer_names;
		uint32_t extensions;
		const char *const *extension_names;
		const void *core;
	} info = {3, next, 0, 1, &queue, 0, NULL, count, names, NULL};
	typedef result (*call)(void *, const void *, const void *, void **);
	return ((call)instance_call(i, "vkCreateDevice"))(physical, &info, NULL, device);
}

struct shim_device {
	void *handle;
	uint32_t captures; // VkPipelineCreateFlags of what is kept of the compiler's work
	result (*set_layout)(void *, const void *, const void *, uint64_t *);
	result (*pipeline_layout)(void *, const void *, const void *, uint64_t *);
	result (*pool)(void *, const void *, const void *, uint64_t *);
	result (*allocate_sets)(void *, const void *, uint64_t *);
	void (*update_sets)(void *, uint32_t, const void *, uint32_t, const void *);
	result (*pipelines)(void *, uint64_t, uint32_t, const void *, const void *, uint64_t *);
	result (*statistics)(void *, const void *, uint32_t *, void *);
	result (*representations)(void *, const void *, uint32_t *, void *);
	result (*begin)(void *, const void *);
	result (*end)(void *);
	result (*submit)(void *, uint32_t, const void *, uint64_t);
	void (*bind_pipeline)(void *, uint32_t, uint64_t);
	void (*bind_sets)(void *, uint32_t, uint64_t, uint32_t, uint32_t, const uint64_t *, uint32_t, const uint32_t *);
	void (*push)(void *, uint64_t, uint32_t, uint32_t, uint32_t, const void *);
	void (*dispatch)(void *, uint32_t, uint32_t, uint32_t);
	void (*barrier)(void *, uint32_t, uint32_t, uint32_t, uint32_t, const void *, uint32_t, const void *, uint32_t, const void *);
	void (*copy)(void *, uint64_t, uint64_t, uint32_t, const void *);
	void (*fill)(void *, uint64_t, uint64_t, uint64_t, uint32_t);
	void (*reset_queries)(void *, uint64_t, uint32_t, uint32_t);
	void (*timestamp)(void *, uint32_t, uint64_t, uint32_t);
};

shim_device *shim_device_calls(shim_instance *i, void *device, const shim_caps *on) {
	get_proc gdpa = (get_proc)instance_call(i, "vkGetDeviceProcAddr");
	shim_device *d = calloc(1, sizeof *d);
	if (!d) return NULL;
	enum { CAPTURE_STATISTICS = 0x40, CAPTURE_REPRESENTATIONS = 0x80 };
	d->handle = device;
	d->captures = on->statistics ? CAPTURE_STATISTICS | CAPTURE_REPRESENTATIONS : 0;
#define CALL(field, name) *(function *)&d->field = gdpa(device, name)
	CALL(set_layout, "vkCreateDescriptorSetLayout");
	CALL(pipeline_layout, "vkCreatePipelineLayout");
	CALL(pool, "vkCreateDescriptorPool");
	CALL(allocate_sets, "vkAllocateDescriptorSets");
	CALL(update_sets, "vkUpdateDescriptorSets");
	CALL(pipelines, "vkCreateComputePipelines");
	if (on->statistics) {
		CALL(statistics, "vkGetPipelineExecutableStatisticsKHR");
		CALL(representations, "vkGetPipelineExecutableInternalRepresentationsKHR");
	}
	CALL(begin, "vkBeginCommandBuffer");
	CALL(end, "vkEndCommandBuffer");
	CALL(submit, "vkQueueSubmit");
	CALL(bind_pipeline, "vkCmdBindPipeline");
	CALL(bind_sets, "vkCmdBindDescriptorSets");
	CALL(push, "vkCmdPushConstants");
	CALL(dispatch, "vkCmdDispatch");
	CALL(barrier, "vkCmdPipelineBarrier");
	CALL(copy, "vkCmdCopyBuffer");
	CALL(fill, "vkCmdFillBuffer");
	CALL(reset_queries, "vkCmdResetQueryPool");
	CALL(timestamp, "vkCmdWriteTimestamp");
#undef CALL
	return d;
}

void shim_free_device_calls(shim_device *d) { free(d); }

enum { MAX_BINDINGS = 8, STORAGE_BUFFER = 7 };

result shim_set_layout(shim_device *d, uint32_t bindings, uint64_t *out) {
	struct {
		uint32_t binding, type, count, stages;
		const void *samplers;
	} b[MAX_BINDINGS];
	for (uint32_t k = 0; k < bindings; k++) {
		b[k].binding = k, b[k].type = STORAGE_BUFFER, b[k].count = 1, b[k].stages = COMPUTE_STAGE, b[k].samplers = NULL;
	}
	struct {
		uint32_t type;
		const void *next;
		uint32_t flags, count;
		const void *bindings;
	} info = {32, NULL, 0, bindings, b};
	return d->set_layout(d->handle, &info, NULL, out);
}

result shim_pipeline_layout(shim_device *d, uint64_t set_layout, uint32_t push_bytes, uint64_t *out) {
	struct {
		uint32_t stages, offset, size;
	} range = {COMPUTE_STAGE, 0, push_bytes};
	struct {
		uint32_t type;
		const void *next;
		uint32_t flags, sets;
		const uint64_t *set;
		uint32_t ranges;
		const void *range;
	} info = {30, NULL, 0, 1, &set_layout, 1, &range};
	return d->pipeline_layout(d->handle, &info, NULL, out);
}

result shim_descriptor_pool(shim_device *d, uint32_t sets, uint32_t buffers, uint64_t *out) {
	struct {
		uint32_t type, count;
	} size = {STORAGE_BUFFER, buffers};
	struct {
		uint32_t type;
		const void *next;
		uint32_t flags, sets, sizes;
		const void *size;
	} info = {33, NULL, 0, sets, 1, &size};
	return d->pool(d->handle, &info, NULL, out);
}

result shim_descriptor_set(shim_device *d, uint64_t pool, uint64_t layout, const shim_binding *b, uint32_t n, uint64_t *out) {
	struct {
		uint32_t type;
		const void *next;
		uint64_t pool;
		uint32_t count;
		const uint64_t *layouts;
	} info = {34, NULL, pool, 1, &layout};
	result r = d->allocate_sets(d->handle, &info, out);
	if (r != 0) return r;
	struct {
		uint32_t type;
		const void *next;
		uint64_t set;
		uint32_t binding, element, count, descriptor;
		const void *image;
		const shim_binding *buffer;
		const void *texel;
	} writes[MAX_BINDINGS];
	memset(writes, 0, sizeof writes);
	for (uint32_t k = 0; k < n; k++) {
		writes[k].type = 35, writes[k].set = *out, writes[k].binding = k, writes[k].count = 1, writes[k].descriptor = STORAGE_BUFFER, writes[k].buffer = &b[k];
	}
	d->update_sets(d->handle, n, writes, 0, NULL);
	return 0;
}

enum { MAX_SPEC = 16, FULL_SUBGROUPS = 2 };

result shim_pipeline(shim_device *d, uint64_t cache, uint64_t module, uint64_t layout, const uint32_t *spec, uint32_t n, uint32_t subgroup_size, uint64_t *out) {
	if (n > MAX_SPEC) return -3;
	struct {
		uint32_t id, offset;
		size_t size;
	} entries[MAX_SPEC];
	for (uint32_t k = 0; k < n; k++) {
		entries[k].id = k, entries[k].offset = 4 * k, entries[k].size = 4;
	}
	struct {
		uint32_t count;
		const void *entries;
		size_t size;
		const void *data;
	} special = {n, entries, 4 * (size_t)n, spec};
	struct {
		uint32_t type;
		void *next;
		uint32_t size;
	} required = {1000225001, NULL, subgroup_size};
	typedef struct {
		uint32_t type;
		const void *next;
		uint32_t flags, stage;
		uint64_t module;
		const char *entry;
		const void *special;
	} stage_info;
	struct {
		uint32_t type;
		const void *next;
		uint32_t flags;
		stage_info stage;
		uint64_t layout, base;
		int32_t base_index;
	} info = {29, NULL, d->captures, {18, subgroup_size ? &required : NULL, subgroup_size ? FULL_SUBGROUPS : 0, COMPUTE_STAGE, module, "main", n ? &special : NULL}, layout, 0, -1};
	return d->pipelines(d->handle, cache, 1, &info, NULL, out);
}

// A compute pipeline has one executable, number 0.
typedef struct {
	uint32_t type;
	const void *next;
	uint64_t pipeline;
	uint32_t index;
} executable;

uint32_t shim_statistics(shim_device *d, uint64_t pipeline, shim_statistic *out, uint32_t room) {
	enum { MOST = 64 };
	struct {
		uint32_t type;
		void *next;
		char name[256], description[256];
		uint32_t format;
		uint64_t value;
	} all[MOST];
	memset(all, 0, sizeof all);
	for (uint32_t k = 0; k < MOST; k++) all[k].type = 1000269004;
	executable which = {1000269003, NULL, pipeline, 0};
	uint32_t n = MOST;
	if (!d->statistics || d->statistics(d->handle, &which, &n, all) < 0) return 0;
	if (n > room) n = room;
	for (uint32_t k = 0; k < n; k++) {
		memcpy(out[k].name, all[k].name, sizeof out[k].name);
		out[k].value = all[k].value;
	}
	return n;
}

char *shim_assembly(shim_device *d, uint64_t pipeline) {
	enum { MOST = 16 };
	struct {
		uint32_t type;
		void *next;
		char name[256], description[256];
		uint32_t text;
		size_t size;
		void *data;
	} all[MOST];
	memset(all, 0, sizeof all);
	for (uint32_t k = 0; k < MOST; k++) all[k].type = 1000269005;
	executable which = {1000269003, NULL, pipeline, 0};
	uint32_t n = MOST;
	if (!d->representations || d->representations(d->handle, &which, &n, all) != 0 || n == 0) return NULL; // with no memory named it gives sizes
	for (uint32_t k = 0; k < n; k++) all[k].data = k == n - 1 ? calloc(1, all[k].size + 1) : NULL;
	char *text = all[n - 1].data;
	if (text && d->representations(d->handle, &which, &n, all) < 0) {
		free(text);
		return NULL;
	}
	return text;
}

result shim_record(shim_device *d, void *commands, const shim_op *ops, uint32_t n, uint64_t queries, uint32_t first) {
	enum { COMPUTE = 0x800, TRANSFER = 0x1000, HOST = 0x4000 };
	struct {
		uint32_t type;
		const void *next;
		uint32_t flags;
		const void *inheritance;
	} begin = {42, NULL, 1, NULL};
	result r = d->begin(commands, &begin);
	if (r != 0) return r;
	struct {
		uint32_t type;
		const void *next;
		uint32_t from, to;
	} all = {46, NULL, 0x40 | 0x1000, 0x20 | 0x40 | 0x800 | 0x1000}; // after writes of shaders and transfers, before their reads and writes
	enum { TOP = 1, BOTTOM = 0x2000 };
	if (queries) {
		d->reset_queries(commands, queries, first, 2);
		d->timestamp(commands, TOP, queries, first);
	}
	uint64_t pipeline = 0;
	for (uint32_t k = 0; k < n; k++) {
		const shim_op *op = &ops[k];
		if (op->barrier) d->barrier(commands, COMPUTE | TRANSFER, COMPUTE | TRANSFER, 0, 1, &all, 0, NULL, 0, NULL);
		switch (op->kind) {
		case 0:
			if (op->pipeline != pipeline) d->bind_pipeline(commands, 1, op->pipeline);
			pipeline = op->pipeline;
			d->bind_sets(commands, 1, op->layout, 0, 1, &op->set, 0, NULL);
			d->push(commands, op->layout, COMPUTE_STAGE, 0, 4 * op->words, op->push);
			d->dispatch(commands, op->groups[0], op->groups[1], op->groups[2]);
			break;
		case 1: {
			uint64_t region[3] = {op->from, op->to, op->size};
			d->copy(commands, op->src, op->dst, 1, region);
			break;
		}
		default:
			d->fill(commands, op->dst, op->to, op->size, op->push[0]);
		}
	}
	struct {
		uint32_t type;
		const void *next;
		uint32_t from, to;
	} host = {46, NULL, 0x40 | 0x1000, 0x2000}; // what was written becomes visible to the host once the fence is signalled
	d->barrier(commands, COMPUTE | TRANSFER, HOST, 0, 1, &host, 0, NULL, 0, NULL);
	if (queries) d->timestamp(commands, BOTTOM, queries, first + 1);
	return d->end(commands);
}

result shim_submit(shim_device *d, void *queue, void *commands, uint64_t fence) {
	struct {
		uint32_t type;
		const void *next;
		uint32_t waits;
		const void *wait, *stages;
		uint32_t buffers;
		void *const *buffer;
		uint32_t signals;
		const void *signal;
	} info = {4, NULL, 0, NULL, NULL, 1, &commands, 0, NULL};
	return d->submit(queue, 1, &info, fence);
}
