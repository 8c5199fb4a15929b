package vulkan

import (
	"errors"
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// What an *Error can be; test with errors.Is.
var (
	ErrUnavailable = errors.New("no Vulkan device")   // a build without Vulkan, no loader, no driver, or no device that will do
	ErrDeviceLost  = errors.New("device lost")        // a crash or a watchdog ended the device's work
	ErrOutOfMemory = tensor.ErrOutOfMemory            // of the device or the host
	ErrBadIndex    = errors.New("index out of range") // an operation met an index outside its table
	// ErrRefused: the driver does not compile a shader that an operation needs. The operation panics with it, and the device goes on.
	ErrRefused = errors.New("the driver refuses a shader")
)

// Error is a failure of the device, its driver or its memory.
type Error struct {
	Op     string // what was being done
	Device string // where; "" before there is one
	Code   int    // Vulkan's result, 0 when the failure is none of Vulkan's
	Detail string // what a user may do or should know
	Err    error  // one of the errors above, or nil
}

func (e *Error) Error() string {
	text := "vulkan: " + e.Op
	if e.Device != "" {
		text += " on " + e.Device
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Code != 0 && e.Err == nil {
		text += ": " + resultName(e.Code)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// resultName returns the name of a result code of Vulkan.
func resultName(code int) string {
	switch code {
	case -1:
		return "VK_ERROR_OUT_OF_HOST_MEMORY"
	case -2:
		return "VK_ERROR_OUT_OF_DEVICE_MEMORY"
	case -3:
		return "VK_ERROR_INITIALIZATION_FAILED"
	case -4:
		return "VK_ERROR_DEVICE_LOST"
	case -5:
		return "VK_ERROR_MEMORY_MAP_FAILED"
	case -6:
		return "VK_ERROR_LAYER_NOT_PRESENT"
	case -7:
		return "VK_ERROR_EXTENSION_NOT_PRESENT"
	case -8:
		return "VK_ERROR_FEATURE_NOT_PRESENT"
	case -9:
		return "VK_ERROR_INCOMPATIBLE_DRIVER"
	case -10:
		return "VK_ERROR_TOO_MANY_OBJECTS"
	case -11:
		return "VK_ERROR_FORMAT_NOT_SUPPORTED"
	}
	return fmt.Sprintf("VkResult %d", code)
}

// deviceLost is the result code of a device that is gone.
const deviceLost = -4

// outOfMemory says whether a result code tells of memory that the host or the device lacks now and may have later.
func outOfMemory(code int) bool { return code == -1 || code == -2 }

// refusal is the error of an operation whose shader the driver refuses.
func refusal(op, device, shader string, code int) *Error {
	return &Error{Op: op, Device: device, Code: code, Err: ErrRefused, Detail: shader + " (" + resultName(code) + "): update the GPU's driver, or use another device"}
}

// fault returns the *Error of a result code, or nil for 0.
func fault(op, device string, code int) *Error {
	if code == 0 {
		return nil
	}
	e := &Error{Op: op, Device: device, Code: code}
	switch {
	case outOfMemory(code):
		e.Err = ErrOutOfMemory
	case code == deviceLost:
		e.Err = ErrDeviceLost
	}
	return e
}
