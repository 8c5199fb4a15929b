package state

import (
	"encoding/binary"
	"math"
)

// DType is the element type of a tensor in a file, spelled as safetensors
// spells it.
type DType string

// Element types a file may hold. The F8 types, C64 and C128 can be read as bytes
// only. A file may have tensors of other types beside, which have no size.
const (
	F64    DType = "F64"
	F32    DType = "F32"
	F16    DType = "F16"
	BF16   DType = "BF16"
	I64    DType = "I64"
	I32    DType = "I32"
	I16    DType = "I16"
	I8     DType = "I8"
	U64    DType = "U64"
	U32    DType = "U32"
	U16    DType = "U16"
	U8     DType = "U8"
	BOOL   DType = "BOOL"
	C64    DType = "C64"
	F8E4M3 DType = "F8_E4M3"
	F8E5M2 DType = "F8_E5M2"
	F8E8M0 DType = "F8_E8M0"
	C128   DType = "C128"

	F8E4M3FNUZ DType = "F8_E4M3FNUZ"
	F8E5M2FNUZ DType = "F8_E5M2FNUZ"
)

// Size returns the number of bytes of one element, 0 for an unknown type.
func (d DType) Size() int {
	switch d {
	case C128:
		return 16
	case F64, I64, U64, C64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case I8, U8, BOOL, F8E4M3, F8E5M2, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ:
		return 1
	}
	return 0
}

// integer reports whether every value of the type is an integer.
func (d DType) integer() bool {
	switch d {
	case I64, I32, I16, I8, U64, U32, U16, U8, BOOL:
		return true
	}
	return false
}

// Numeric reports whether tensors of the type can be read as numbers, and not as bytes only.
func (d DType) Numeric() bool {
	switch d {
	case F64, F32, F16, BF16:
		return true
	}
	return d.integer()
}

// Float32s converts little-endian elements of a numeric type, as File.Float32s does. dst has as many.
func (d DType) Float32s(dst []float32, src []byte) { decode(dst, src, d) }

// Int64s converts little-endian elements of an integer type or BOOL. U64 values of 2^63 and more wrap around. dst has as many.
func (d DType) Int64s(dst []int64, src []byte) { decode(dst, src, d) }

// decode converts len(dst) little-endian elements of a numeric type d from src.
// Values are rounded to nearest even where T is narrower; BOOL gives 0 or 1.
func decode[T float32 | float64 | int64](dst []T, src []byte, d DType) {
	le := binary.LittleEndian
	switch d {
	case F64:
		for i := range dst {
			dst[i] = T(math.Float64frombits(le.Uint64(src[8*i:])))
		}
	case F32:
		for i := range dst {
			dst[i] = T(math.Float32frombits(le.Uint32(src[4*i:])))
		}
	case F16:
		for i := range dst {
			dst[i] = T(halfToFloat32(le.Uint16(src[2*i:])))
		}
	case BF16:
		for i := range dst {
			dst[i] = T(math.Float32frombits(uint32(le.Uint16(src[2*i:])) << 16))
		}
	case I64:
		for i := range dst {
			dst[i] = T(int64(le.Uint64(src[8*i:])))
		}
	case I32:
		for i := range dst {
			dst[i] = T(int32(le.Uint32(src[4*i:])))
		}
	case I16:
		for i := range dst {
			dst[i] = T(int16(le.Uint16(src[2*i:])))
		}
	case I8:
		for i := range dst {
			dst[i] = T(int8(src[i]))
		}
	case U64:
		for i := range dst {
			dst[i] = T(le.Uint64(src[8*i:]))
		}
	case U32:
		for i := range dst {
			dst[i] = T(le.Uint32(src[4*i:]))
		}
	case U16:
		for i := range dst {
			dst[i] = T(le.Uint16(src[2*i:]))
		}
	case U8:
		for i := range dst {
			dst[i] = T(src[i])
		}
	case BOOL:
		for i := range dst {
			dst[i] = 0
			if src[i] != 0 {
				dst[i] = 1
			}
		}
	default:
		panic("state: decode: type " + string(d) + " is not numeric")
	}
}

// halfToFloat32 widens an IEEE 754 binary16 (1 sign, 5 exponent, 10 mantissa
// bits), exactly.
func halfToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h>>10) & 0x1f
	frac := uint32(h & 0x3ff)
	switch exp {
	case 0: // zero and subnormals: frac * 2^-24
		f := float32(frac) * 0x1p-24
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 0x1f: // infinity and NaN
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}
