package train

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
)

// TestDyingCodes checks the warning about codes that fall out of use: below 70 % of the most so far, once for each fall, by the last
// 65,536 tokens alone.
func TestDyingCodes(t *testing.T) {
	const codes = 100
	hears := &stopper{}
	task := &tokenizerTask{r: &run{env: Env{Reporter: hears}}, model: &beit.VQKD{Config: beit.VQKDConfig{Codes: codes}}}
	see := func(used int) {
		list := make([]int32, windowTokens) // these fill the window
		for i := range list {
			list[i] = int32(i % used)
		}
		task.recent.add(list)
	}
	for i, c := range []struct{ used, warnings int }{
		{60, 0}, {100, 0}, {70, 0}, {69, 1}, {50, 1}, {80, 1}, {60, 2},
	} {
		see(c.used)
		v := map[string]float64{}
		task.describe(v)
		if v["codes_used"] != float64(c.used) || len(hears.warnings) != c.warnings {
			t.Errorf("interval %d: %g codes used, want %d; %d warnings, want %d", i, v["codes_used"], c.used, len(hears.warnings), c.warnings)
		}
	}
	if len(hears.warnings) > 0 && !strings.Contains(hears.warnings[0], "69 of 100 codes, and once they used 100") {
		t.Errorf("warning %q", hears.warnings[0])
	}
}
