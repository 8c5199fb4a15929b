// Package direct makes the calls of package vk without a C compiler: by the addresses that the Vulkan loader gives, with structs laid out as C has
// them (structs.go). github.com/ebitengine/purego calls such addresses.
//
// What a call gets a pointer to is converted in its list of arguments, which keeps it on the heap and alive (go:uintptrescapes). What structs point
// to is pinned meanwhile.
package direct
