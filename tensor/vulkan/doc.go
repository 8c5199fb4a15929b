// Package vulkan runs the operations of package tensor on a GPU, with Vulkan compute shaders.
//
//	gpu, err := vulkan.Open(ctx, vulkan.Options{})
//	if err != nil {
//		log.Fatal(err) // one line: no loader, no driver, no device with what is needed, …
//	}
//	defer vulkan.Close(gpu)
//	x := tensor.FromSlice(gpu, []float32{1, 2, 3}, 3)
//
// Shapes, dtypes and panics are those of package tensor. An operation that cannot allocate its result panics, as on every device. A program may
// then release tensors and go on.
//
// An operation also panics if the driver refuses one of its shaders (ErrRefused) or has too little shared memory for the heads of an attention, and the
// device goes on. Matmuls have several shaders: those in float16 fall back to float32, and tiles to tiles of another size, which give equal results.
//
// Other failures are sticky, for example a lost device, or an index outside its table. tensor.Device.Sync returns them as an *Error. Operations
// after the failure do nothing, and downloads panic with the error.
//
// Operations run asynchronously and in order. A download waits for what it needs. A device is safe for concurrent use.
//
// # Builds
//
// Vulkan is called through cgo, where that is on. Without cgo it is called all the same on Linux and Windows, on amd64 and arm64, by the addresses
// that the Vulkan loader gives. Results are the same, and a dispatch takes about two microseconds longer to record (BenchmarkRecord on one machine:
// 3.6 in place of 1.5). A build without cgo is not static on Linux: it loads the system's C library (glibc). The build tag novulkan leaves Vulkan
// out, and that build is static.
//
// On macOS Vulkan needs cgo and the build tag vulkan, on FreeBSD cgo. Where there is no Vulkan, Open returns an error.
//
// # Precision
//
// Matmuls are computed in float32. At precision Medium they are computed in float16 with float32 sums, where the device has 16-bit arithmetic. That
// uses cooperative matrices (VK_KHR_cooperative_matrix, "tensor cores") if there are any, else ordinary arithmetic.
//
// Each row of the left factor and each column of the right factor is first multiplied by a power of two. So numbers of any size keep 11 bits, and
// none overflows. Elements more than 2^28 times smaller than the largest of their row lose bits.
//
// Before the first such matmul a self-test of some milliseconds compares with float64 on the host. A variant that fails it is switched off.
// Device.Report and Variants list what is in use, and what is off and why.
//
// Open tests float32 in the same way, in less than a second, and returns an error for a device that computes wrong results. What passed is stored
// beside the compiled pipelines, for each device and driver version, and not tested again.
//
// # Environment
//
// For users:
//
//	BEIT_VK_DEVICE=1            the device, when Options do not name one: an index or a part of a name
//	BEIT_VK_MAX_SUBMIT_MS=20    the length of a submission to the GPU (80): shorter, if a watchdog ends it
//	BEIT_VK_CACHE=DIR           where compiled pipelines and passed self-tests are stored (the user's cache folder); off: nowhere
//	BEIT_VK_LOADER=FILE         the Vulkan loader, when it is not in a standard place
//
// To find the cause of wrong results:
//
//	BEIT_VK_DISABLE_F16=1       no 16-bit values; _SUBGROUP no subgroup operations; _COOPMAT no cooperative matrices
//	BEIT_VK_BARRIERS=1          run one operation after the other
//	BEIT_VK_STAGING=1           never let the host write tensors directly
//	BEIT_VK_VALIDATE=1          turn the validation layer on; Messages returns its messages
//
// # How it works
//
// An operation (ops_*.go) calls dispatch for each shader that it runs. dispatch finds the pipeline and the descriptor set. internal/record decides
// whether a barrier is needed. Then the command is appended to a list. A list of about 80 ms of work is recorded into a command buffer and
// submitted, and at most two submissions are under way. internal/mem divides large blocks of memory. internal/vk says which calls of Vulkan are
// needed. internal/shim makes them through cgo, and internal/direct without it.
//
// # Decisions
//
// One queue orders everything. So memory that is freed can be used at once by what is recorded later; the barrier of that operation waits for the
// earlier one. Only the host waits for fences.
//
// Brackets. Begin and End (bracket.go) surround each operation: a lock, the name for errors, the check for a sticky error, and scratch memory.
// package tensor calls them, so the methods in ops_*.go are plain.
//
// Short submissions. A GPU's watchdog may end long ones, so long operations are split by work, into parts with equal results.
//
// SPIR-V is committed. Nothing is compiled on a user's machine except by the driver, whose pipelines are cached on disk.
//
// Indices are checked in shaders. A bad index touches no memory outside its table. It sets a fault word, which the next Sync or download reports.
//
// Mailbox. What is fetched (tensor.Prefetch) is copied to memory of the host in the order of the operations, with the fault words as they are then.
// Reading it waits for that submission, not for later ones.
//
// Self-test. Devices and variants of shaders for Medium are only used after a self-test, because drivers have computed wrong results, some only at
// large sizes. Some ignore the constants that sizes of arrays depend on (selftest.go).
// All tile sizes of a variant give equal results, so a row has the same result alone and in a batch.
//
// The shaders use the polynomials of the CPU kernels for exp, log, tanh, GELU and sigmoid, so error bounds are the same on every device.
package vulkan
