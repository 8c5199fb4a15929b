package serve

import (
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// Folders of pages that commands write into a run folder, and the first page of each.
const (
	codebookDir = "codebook"
	mapDir      = "map"
	indexFile   = "index.html"
)

// fileTypes are the files of such folders.
var fileTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
	".txt": "text/plain; charset=utf-8", ".csv": "text/plain; charset=utf-8", ".json": "application/json",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
}

// file serves the report of a run, and the pages that commands wrote into its folder. It serves nothing else of a run, and nothing outside
// the root, to which a symbolic link could lead.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	kind, ok := fileTypes[strings.ToLower(path.Ext(name))]
	if _, rest, err := s.roster.split(r.Context(), name); err != nil || !ok || !fs.ValidPath(name) || !served(rest) {
		http.NotFound(w, r)
		return
	}
	root, err := os.OpenRoot(s.roster.root)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer root.Close()
	file, err := regular.OpenFS(root.FS(), name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	content, ok := file.(io.ReadSeeker)
	if err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", folderPolicy)
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", info.ModTime(), content)
}

// served says whether a place in a run folder is of a page, or of what a page loads.
func served(place string) bool {
	folder, _, below := strings.Cut(place, "/")
	return place == run.ReportFile || below && (folder == codebookDir || folder == mapDir)
}
