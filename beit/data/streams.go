package data

// First numbers of the random paths of this package: each use of the seed draws from a stream of its own.
const (
	streamSplit uint64 = 0x64617461_00 + iota
	streamOrder
	streamAugment
	streamReplace
	streamProcedural
	streamFraction
)
