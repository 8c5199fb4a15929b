package run

import "time"

// leftRecords are the last records of a run by which Left estimates: they follow a change of speed, and include pauses of validation.
const leftRecords = 200

// Left estimates how long a run that is under way will take, by the times of its last records in this process. It is 0 when the run is not under
// way, or when that cannot be told yet.
func (s Status) Left(records []Record) time.Duration {
	if s.State != StateRunning || s.Step >= s.Total {
		return 0
	}
	records = records[max(0, len(records)-leftRecords):]
	for len(records) > 0 && records[0].Time.Before(s.Began) { // also those without a time
		records = records[1:]
	}
	if len(records) == 0 {
		return 0
	}
	first, last := records[0], records[len(records)-1]
	steps, took := last.Step-first.Step, last.Time.Sub(first.Time)
	if steps <= 0 || took <= 0 {
		return 0
	}
	return time.Duration(min(float64(took)/float64(steps)*float64(s.Total-s.Step), 1<<62)) // a damaged status can have any Total
}
