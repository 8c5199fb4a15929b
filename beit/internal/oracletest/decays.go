package oracletest

import "encoding/json"

// decays are the weight decays of the steps, or one for all steps.
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

// at returns the weight decay of a step.
func (d decays) at(step int) float64 { return d[min(step, len(d)-1)] }
