package tensor

import "fmt"

// DType is the type of the elements of a tensor.
type DType uint8

// The types of elements.
const (
	Float32  DType = iota // the working type of every operation
	BFloat16              // for storage; see Cast
	Int32                 // labels and indices
)

// Size returns the number of bytes of one element.
func (d DType) Size() int {
	if d == BFloat16 {
		return 2
	}
	return 4
}

// String returns "float32", "bfloat16" or "int32".
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

// Precision is the required precision of a matmul. A device that does not implement it uses a more exact one, never a less exact one, and
// Device.Report says so.
type Precision uint8

// The precisions.
const (
	Highest Precision = iota // float32 multiply-adds
	High                     // three bfloat16 matmuls, hi*hi + hi*lo + lo*hi, accumulated in float32
	Medium                   // one matmul in bfloat16 or scaled float16, accumulated in float32
)

// String returns "highest", "high" or "medium".
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

// ParsePrecision parses "highest", "high" or "medium". It also reads "fp32" as Highest and "bf16" as Medium, the names of other programs.
func ParsePrecision(s string) (Precision, error) {
	switch s {
	case "fp32":
		return Highest, nil
	case "bf16":
		return Medium, nil
	}
	for p := Highest; p <= Medium; p++ {
		if p.String() == s {
			return p, nil
		}
	}
	return 0, fmt.Errorf("precision %q: want highest (fp32), high or medium (bf16)", s)
}
