// Package vulkan runs the operations of package tensor on a GPU, through Vulkan compute shaders.
//
//	gpu, err := vulkan.Open(ctx, vulkan.Options{})
//	if err != nil {
//		log.Fatal(err) // one line: no loader, no driver, no device with what is needed, …
//	}
//	defer vulkan.Close(gpu)
//	x := tensor.FromSlice(gpu, []float32{1, 2, 3}, 3)
//
// Shapes, dtypes and panics are those of package tensor. Memory that is not there makes the operation panic, as on every device; the
// program may release tensors and go on. What else can happen to a device (it is lost, a shader meets an index outside its table) comes as
// an *Error from tensor.Device.Sync and is sticky: operations then do nothing, and downloads panic with the error.
//
// Operations are recorded and run in order while the program goes on; a download waits for what it needs. A device is safe for concurrent
// use. The package needs cgo, on macOS also the build tag vulkan; without, Open says so. The build tag novulkan leaves Vulkan out.
//
// # Precision
//
// Products run in float32, but at precision medium in float16 with sums in float32 where the device has 16-bit arithmetic: on cooperative
// matrices (VK_KHR_cooperative_matrix, "tensor cores") if there are any, else with float16 as storage only. Factors are multiplied by powers of
// two first, of each row of the left and each column of the right its own, so that numbers of any size keep 11 bits and none overflows; what
// is more than 2^28 times smaller than the largest of its row loses bits. Before the first such product a self-test of some milliseconds
// compares with float64 on the host; a variant that fails it is switched off. Device.Report and Variants say what runs, and what is off and why.
//
// # Environment
//
// What users set:
//
//	BEIT_VK_DEVICE=1            the device, when Options do not name one: an index or a part of a name
//	BEIT_VK_MAX_SUBMIT_MS=20    how long a piece of work for the GPU may take (80): less, if a watchdog ends it
//	BEIT_VK_CACHE=DIR           where compiled pipelines are kept (the user's cache folder); off: nowhere
//	BEIT_VK_LOADER=FILE         the Vulkan loader, when it is in no usual place
//
// What helps to find the cause of wrong results:
//
//	BEIT_VK_DISABLE_F16=1       do without 16-bit values, _SUBGROUP without subgroup operations, _COOPMAT without cooperative matrices
//	BEIT_VK_BARRIERS=1          run one operation after the other
//	BEIT_VK_STAGING=1           never let the host write tensors directly
//	BEIT_VK_VALIDATE=1          turn the validation layer on; Messages returns what it says
//
// # How it works
//
// An operation (ops_*.go) calls dispatch for each shader that it runs. dispatch finds the pipeline and the descriptor set, internal/record
// says whether a barrier must come first, and the command is appended to a list. A list of about 80 ms of work is recorded into a command
// buffer and submitted; two may be under way. Memory comes in blocks that internal/mem divides. One queue orders everything, so memory that
// is freed can be used again at once by what is recorded later. Whatever hands arrays of structs to Vulkan is C code in internal/shim.
package vulkan
