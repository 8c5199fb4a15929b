package oracletest

import "encoding/json"

// decays is a weight decay for each step, or one for all.
type decays []float64

// UnmarshalJSON reads a number or a list.
func (d *decays) UnmarshalJSON(data []byte) error {
	var one float64
	if json.Unmarshal(data, &one) == nil {
		*d = decays{one}
		return nil
	}
	return json.Unmarshal(data, (*[]float64)(d))
}

func (d decays) at(step int) float64 { return d[min(step, len(d)-1)] }
