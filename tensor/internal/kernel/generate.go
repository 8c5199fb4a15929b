package kernel

// Assembly for any processor is written on any other.
//
//go:generate go -C _asm/gemm run . -out ../../gemm_amd64.s -stubs ../../gemm_stubs_amd64.go -pkg kernel
//go:generate go -C _asm/lookup run . -out ../../lookup_amd64.s -stubs ../../lookup_stubs_amd64.go -pkg kernel
//go:generate go -C _asm/vec run . -level avx2 -out ../../vec_avx2_amd64.s -stubs ../../vec_avx2_amd64.go -pkg kernel
//go:generate go -C _asm/vec run . -level avx512 -out ../../vec_avx512_amd64.s -stubs ../../vec_avx512_amd64.go -pkg kernel
//go:generate go -C _asm/gemm run . -neon -out ../../gemm_arm64.s -stubs ../../gemm_stubs_arm64.go -pkg kernel
//go:generate go -C _asm/lookup run . -neon -out ../../lookup_arm64.s -stubs ../../lookup_stubs_arm64.go -pkg kernel
//go:generate go -C _asm/vec run . -level neon -out ../../vec_neon_arm64.s -stubs ../../vec_neon_arm64.go -pkg kernel
