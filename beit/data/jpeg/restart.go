package jpeg

// restart ends a restart interval: the prediction starts again, behind the next restart marker. When that is missing or not the expected one, it
// does what libjpeg does by default. The marker is either skipped, or it is kept as one that comes later, and all blocks before it are grey.
func (d *decoder) restart(s *scan) error {
	for i := range s.parts {
		s.parts[i].pred, s.parts[i].context = 0, 0
	}
	d.endOfBands = 0
	expected := d.nextRST
	d.nextRST = (d.nextRST + 1) & 7
	for {
		if err := d.nextMarker(); err != nil {
			return err
		}
		keep, resume := judgeMarker(d.marker, expected)
		if keep {
			d.pos -= 2 // found at once the next time
			if d.bits.overrun() {
				return nil // goes on without data
			}
			d.bits.empty()
			d.arith.start(&d.bits, s)
			return nil
		}
		if resume {
			d.load(s)
			return nil
		}
	}
}

// judgeMarker says whether a marker found in place of an expected restart marker is kept for later, or else whether decoding resumes behind it.
// If neither, it is an old one or means nothing.
func judgeMarker(marker, expected uint8) (keep, resume bool) {
	if marker < sof0 {
		return false, false
	}
	if marker < rst0 || marker > rst7 {
		return true, false
	}
	switch (marker - rst0 - expected) & 7 {
	case 1, 2:
		return true, false
	case 6, 7:
		return false, false
	}
	return false, true
}

// skipScan moves to the marker behind a scan without decoding it.
func (d *decoder) skipScan() error {
	for {
		if err := d.nextMarker(); err != nil {
			return err
		}
		if d.interval == 0 || d.marker >= sof0 && (d.marker < rst0 || d.marker > rst7) {
			d.pos -= 2
			return nil
		}
	}
}
