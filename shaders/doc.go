// Package shaders holds the compute shaders of package tensor/vulkan: GLSL sources, and the SPIR-V made from them, which is committed and
// embedded, so that nothing is compiled on a user's machine.
//
// table.go lists every shader. To add one, write NAME.comp, add its row, and run
//
//	go generate ./shaders
//
// which needs glslc of Debian 12 (its package of that name). It writes spv/NAME.spv and manifest.txt. Shaders of cooperative matrices, in
// coopmat, need a later glslc, which .ci/coopmat runs in a tree of Debian unstable:
//
//	bash .ci/coopmat -generate DIR
//
// A test tells when a blob is older than its source, by the hashes of the manifest, and builds again what the glslc at hand has made.
//
// Conventions of the sources stand in include/common.glsl.
package shaders

//go:generate go run ./internal/build
