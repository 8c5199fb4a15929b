//go:build ((linux && !android) || windows) && (amd64 || arm64) && !novulkan

package direct

import (
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// call is the address of a function of Vulkan, 0 where there is none.
type call uintptr

// with calls it and returns its result code. Functions without one give 0 or what happens to stand in the register.
//
//go:uintptrescapes
func (c call) with(args ...uintptr) int {
	r, _, _ := purego.SyscallN(uintptr(c), args...)
	return int(int32(r))
}

// look calls a function that returns addresses of functions by name.
func (c call) look(handle uint64, name string) call {
	text := zeroed(name)
	r, _, _ := purego.SyscallN(uintptr(c), uintptr(handle), uintptr(unsafe.Pointer(text)))
	return call(r)
}

// zeroed is a string of C.
func zeroed(s string) *byte { return &append([]byte(s), 0)[0] }

// text is the string of C at p.
func text(p *byte) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}

// field is the string of C in a field of a struct.
func field(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// pins keeps what structs point to in its place until Unpin.
type pins struct{ runtime.Pinner }

// at pins what p points to.
func at[T any](keep *pins, p *T) unsafe.Pointer {
	keep.Pin(p)
	return unsafe.Pointer(p)
}

// all pins the elements of a slice and returns the first one's address, nil for none.
func all[T any](keep *pins, s []T) unsafe.Pointer {
	if len(s) == 0 {
		return nil
	}
	return at(keep, &s[0])
}

// made returns the handle that a function of the form vkCreateX(parent, info, allocator, out) makes.
func made[T any](c call, parent uint64, info *T) (uint64, int) {
	out := new(uint64)
	code := c.with(uintptr(parent), uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(out)))
	return *out, code
}
