package tensor

import "fmt"

// DType is the type of a tensor's elements.
type DType uint8

// The types of elements.
const (
	Float32  DType = iota // the working type of every operation
	BFloat16              // storage, Cast, and matrix-product operations that say so
	Int32                 // labels and indices
)

// Size is the number of bytes of one element.
func (d DType) Size() int {
	if d == BFloat16 {
		return 2
	}
	return 4
}

// String is "float32", "bfloat16" or "int32".
func (d DType) String() string {
	switch d {
	case Float32:
		return "float32"
	case BFloat16:
		return "bfloat16"
	case Int32:
		return "int32"
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// Precision says how exact a matrix product must be.
// A device that cannot do what is asked does better, never worse, and Device.Report says so.
type Precision uint8

// The precisions.
const (
	Highest Precision = iota // float32 products
	High                     // three bfloat16 products: hi*hi + hi*lo + lo*hi, float32 accumulation
	Medium                   // one bfloat16 or scaled float16 product, float32 accumulation
)

// String is "highest", "high" or "medium".
func (p Precision) String() string {
	switch p {
	case Highest:
		return "highest"
	case High:
		return "high"
	case Medium:
		return "medium"
	}
	return fmt.Sprintf("Precision(%d)", uint8(p))
}

// ParsePrecision reads "highest", "high" or "medium".
func ParsePrecision(s string) (Precision, error) {
	for p := Highest; p <= Medium; p++ {
		if p.String() == s {
			return p, nil
		}
	}
	return 0, fmt.Errorf("precision %q: want highest, high or medium", s)
}
