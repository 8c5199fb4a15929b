package tensor

// Prefetch tells the device of tensors that the host will read later, as they are now, by Float32s, Ints, CopyTo or Item. A device that works on its
// own starts to copy them. Reading one then waits for the work given before this call, but not for what was given since, unless that
// uses the tensor.
//
// All tensors are on one device. Only those of the last call are fetched, and not those that are views with gaps, BFloat16 or together larger than
// a mebibyte: reading these waits as usual. Prefetch changes no value. It panics for a nil or released tensor.
func Prefetch(ts ...*Tensor) {
	if len(ts) == 0 {
		return
	}
	c := begin("Prefetch", "a tensor", ts...)
	defer c.end()
	c.dev.backend.Prefetch(ts)
}
