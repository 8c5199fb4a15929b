package infer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// Checksum is the SHA-256 of the model's weights and of the form of its input, in hexadecimal: models with the same one give the same features. It is
// empty for a model that was not opened or that was closed.
func (e *Encoder) Checksum() string {
	n := e.net()
	if n.opened() != nil {
		return ""
	}
	n.use.RLock()
	defer n.use.RUnlock()
	if n.closed {
		return ""
	}
	hash := sha256.New()
	buffer := make([]byte, 0, 4*weightsAtOnce)
	write := func(values []float32) {
		for len(values) > 0 {
			part := values[:min(len(values), weightsAtOnce)]
			values = values[len(part):]
			buffer = buffer[:0]
			for _, v := range part {
				buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
			}
			hash.Write(buffer)
		}
	}
	write(n.set.Values().Float32s())
	in := n.input
	write([]float32{float32(in.Size), float32(in.Grid)})
	if in.Width != 0 {
		write([]float32{float32(in.Width), float32(in.Cols)})
	}
	if in.Bands != nil {
		write(in.Bands.Mean)
		write(in.Bands.Std)
	}
	write(e.norm.Mean[:])
	write(e.norm.Std[:])
	return hex.EncodeToString(hash.Sum(nil))
}

// weightsAtOnce is how many weights are hashed at once.
const weightsAtOnce = 1 << 14
