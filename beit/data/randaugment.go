package data

import "github.com/gobeit/gobeit/tensor"

// RandAugment distorts images as rand-mM-nN-mstd0.5-inc1 of timm 0.4.12 does. It draws Ops times one of fifteen operations with equal probability
// and applies it with probability 1/2. The magnitude is normally distributed with mean Magnitude and standard deviation 1/2, clipped to [0, 10].
// Larger magnitudes distort more.
type RandAugment struct {
	Magnitude float64  // M, up to 10
	Ops       int      // N
	Fill      [3]uint8 // colour of pixels from outside the image
}

// Settings of RandAugment that no recipe changes.
const (
	randProb  = 0.5
	randStd   = 0.5
	randMax   = 10.0
	randShear = 0.3
	randMove  = 0.45 // of the image's width or height
	randTurn  = 30   // degrees
	randBlend = 0.9
	minFactor = 0.1 // of an enhancement
)

// ImageNetFill is the mean colour of ImageNet, for RandAugment.Fill.
var ImageNetFill = [3]uint8{124, 116, 104}

// randOp is one operation. level is the magnitude's share of its maximum, from 0 to 1, and negative in half of all cases.
type randOp struct {
	name  string
	apply func(m *RGB, level float64, fill [3]uint8) *RGB
}

// abs returns the level without its sign, for operations that have none.
func abs(level float64) float64 { return max(level, -level) }

// factor returns the factor of an enhancement.
func factor(level float64) float32 { return float32(max(minFactor, 1+randBlend*level)) }

// randOps lists the operations in the order of timm's list.
var randOps = []randOp{
	{"AutoContrast", func(m *RGB, _ float64, _ [3]uint8) *RGB { return AutoContrast(m) }},
	{"Equalize", func(m *RGB, _ float64, _ [3]uint8) *RGB { return Equalize(m) }},
	{"Invert", func(m *RGB, _ float64, _ [3]uint8) *RGB { return Invert(m) }},
	{"Rotate", func(m *RGB, l float64, fill [3]uint8) *RGB { return Rotate(m, l*randTurn, fill) }},
	{"Posterize", func(m *RGB, l float64, _ [3]uint8) *RGB { return Posterize(m, 4-int(abs(l)*4)) }},
	{"Solarize", func(m *RGB, l float64, _ [3]uint8) *RGB { return Solarize(m, 256-int(abs(l)*256)) }},
	{"SolarizeAdd", func(m *RGB, l float64, _ [3]uint8) *RGB { return SolarizeAdd(m, min(128, int(abs(l)*110))) }},
	{"Color", func(m *RGB, l float64, _ [3]uint8) *RGB { return AdjustSaturation(m, factor(l)) }},
	{"Contrast", func(m *RGB, l float64, _ [3]uint8) *RGB { return AdjustContrast(m, factor(l)) }},
	{"Brightness", func(m *RGB, l float64, _ [3]uint8) *RGB { return AdjustBrightness(m, factor(l)) }},
	{"Sharpness", func(m *RGB, l float64, _ [3]uint8) *RGB { return AdjustSharpness(m, factor(l)) }},
	{"ShearX", func(m *RGB, l float64, fill [3]uint8) *RGB {
		return Affine(m, [6]float64{1, l * randShear, 0, 0, 1, 0}, fill)
	}},
	{"ShearY", func(m *RGB, l float64, fill [3]uint8) *RGB {
		return Affine(m, [6]float64{1, 0, 0, l * randShear, 1, 0}, fill)
	}},
	{"TranslateX", func(m *RGB, l float64, fill [3]uint8) *RGB {
		return Affine(m, [6]float64{1, 0, l * randMove * float64(m.W), 0, 1, 0}, fill)
	}},
	{"TranslateY", func(m *RGB, l float64, fill [3]uint8) *RGB {
		return Affine(m, [6]float64{1, 0, 0, 0, 1, l * randMove * float64(m.H)}, fill)
	}},
}

// Apply returns a distorted copy of m, or m itself where no operation is drawn.
func (a RandAugment) Apply(m *RGB, r *tensor.Rand) *RGB {
	for range a.Ops {
		op := randOps[r.IntN(len(randOps))]
		if r.Float64() >= randProb {
			continue
		}
		level := min(max(a.Magnitude+randStd*r.Norm(), 0), randMax) / randMax
		if r.Uint32()&1 == 1 {
			level = -level
		}
		m = op.apply(m, level, a.Fill)
	}
	return m
}
