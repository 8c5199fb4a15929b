package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/tokenizer"
)

func TestHTML(t *testing.T) {
	m := tokenizer.Method
	cfg, _, err := m.Configure("small32", "", []string{"data.path=<my> images", "train.epochs=6"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "report.html")
	if err := HTML(name, m, cfg, syntheticRun()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<h1>tokenizer, preset small32</h1>", "600 steps on &lt;my&gt; images", "<th>reconstruction loss</th><th>codes used</th><th>perplexity</th>",
		"<tr><td>6</td><td>0.23832</td><td>500</td><td>380</td></tr>", "data:image/png;base64,iVBOR", "\nepochs = 6\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(string(text), "means of each epoch") {
		t.Error("the page has a table without rows")
	}
	if err := HTML(name, m, cfg, nil); err == nil {
		t.Error("a run without records gives no error")
	}
}
