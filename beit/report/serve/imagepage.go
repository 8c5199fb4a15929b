package serve

import (
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/run"
)

var imageBody = body("image.html")

// choice is a run whose model can look at an image.
type choice struct {
	Name, URL string
	Chosen    bool
}

// imagePage is where an image can be dropped. The page names a run, or none: then it is that which changed last.
func (s *Server) imagePage(w http.ResponseWriter, r *http.Request) {
	list, err := s.roster.runs(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	name := strings.TrimSuffix(r.PathValue("name"), "/")
	var choices []choice
	found := name == ""
	for _, l := range list {
		if hasModel(l) {
			own := s.roster.name(l.Dir)
			choices = append(choices, choice{joined(s.title(own), l.Method), place(imagePath, own), own == name})
			found = found || own == name
		}
	}
	if !found {
		s.fail(w, r, errNoRun)
		return
	}
	s.show(w, r, imageBody, choices, page.Page{
		Title: "Look at an image", Lead: "Codes, prediction and attention of a model. The image stays on this machine, and is written nowhere.",
		Scripts: []string{ownPath + "image.js"},
	})
}

// hasModel says whether a run has a model, finished or not.
func hasModel(l model.Listed) bool {
	for _, pattern := range []string{"*.safetensors", run.CheckpointDir + "/*.safetensors"} {
		if list, err := fs.Glob(os.DirFS(l.Dir), pattern); err == nil && len(list) > 0 {
			return true
		}
	}
	return false
}
