// Codes of the fault word, as tensor/vulkan/faults.go names them.
#define FAULT_CROSS_ENTROPY 1u
#define FAULT_GATHER 2u
#define FAULT_SCATTER 3u
#define FAULT_CODE_STATS 4u
