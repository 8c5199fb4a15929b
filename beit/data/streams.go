package data

// First numbers of the random paths of this package: each use of the seed draws from a stream of its own. A stored run depends on the
// values: they must not change.
const (
	streamSplit      uint64 = 0x64617461_00
	streamOrder      uint64 = 0x64617461_01
	streamAugment    uint64 = 0x64617461_02
	streamReplace    uint64 = 0x64617461_03
	streamProcedural uint64 = 0x64617461_04
	streamFraction   uint64 = 0x64617461_05
	streamShapes     uint64 = 0x64617461_06
)
