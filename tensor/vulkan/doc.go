// Package vulkan runs the operations of package tensor on a GPU, through Vulkan compute shaders.
//
//	gpu, err := vulkan.Open(ctx, vulkan.Options{})
//	if err != nil {
//		log.Fatal(err) // one line: no loader, no driver, no device with what is needed, …
//	}
//	x := tensor.FromSlice(gpu, []float32{1, 2, 3}, 3)
//
// Shapes, dtypes and panics are those of package tensor. What depends on the machine (no device, memory exhausted, device lost) comes
// as an *Error. A device's error is sticky: once it has failed, operations do nothing, and tensor.Device.Sync returns the error.
//
// Operations are recorded and run in order while the program goes on; a download waits for what it needs. A device is safe for
// concurrent use. It needs cgo; without it, Open says so.
package vulkan
