// Package shaders provides the compute shaders of package tensor/vulkan: GLSL sources, and the SPIR-V compiled from them. The SPIR-V is
// committed and embedded, so that nothing is compiled on a user's machine.
//
// To add one, write NAME.comp, whose first comment names the shader and says how many buffers it has, and run
//
//	go generate ./shaders
//
// which needs glslc of Debian 12 (its package of that name). It writes table.go, which lists every shader, spv/NAME.spv and manifest.txt. Shaders of cooperative matrices, in
// coopmat, need a later glslc, which .ci/coopmat runs in a tree of Debian unstable:
//
//	bash .ci/coopmat -generate DIR
//
// A test compares the hashes of sources and SPIR-V with the manifest, and compiles again what the installed glslc can compile.
//
// The conventions of the sources are in include/common.glsl.
package shaders

//go:generate go run ./internal/table
//go:generate go run ./internal/build
