package page

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"slices"

	"github.com/gobeit/gobeit/nn/state"
)

// Page is what a page shows, inside the shell that all have.
type Page struct {
	Title  string // the heading and the name of the browser's tab
	Lead   string // a sentence below the heading
	Nav    []Link // above the heading
	Body   template.HTML
	Foot   string
	Charts bool        // Body has charts
	Script template.JS // for this page alone, run after the others

	// Assets is the URL below which a server has the files of Assets, such as "/assets/": the page links to them. Script must be empty then;
	// Styles and Scripts are the URLs of what the page uses besides. With "" the page contains all.
	Assets          string
	Styles, Scripts []string
}

// Link is a link to another page, or to a part of this one.
type Link struct {
	Text, URL string
	Current   bool // it leads to this page
}

//go:embed assets
var assets embed.FS

// Assets has the files that pages need: style.css, page.js, chart.js, uplot/uPlot.iife.min.js and uplot/uPlot.min.css.
var Assets fs.FS = sub(assets, "assets")

func sub(files fs.FS, folder string) fs.FS {
	below, err := fs.Sub(files, folder)
	if err != nil {
		panic(err)
	}
	return below
}

// read returns an embedded file.
func read(name string) string {
	content, err := fs.ReadFile(Assets, name)
	if err != nil {
		panic(err)
	}
	return string(content)
}

// shell is the template around every body. A page that contains all tells the browser to fetch nothing but images beside it.
var shell = Template("page", `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{{if not .Assets}}<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
{{end}}<title>{{text .Title}}</title>
<link rel="icon" href="data:,">
{{range .LinkedStyles}}<link rel="stylesheet" href="{{.}}">
{{end}}{{range .OwnStyles}}<style>{{.}}</style>
{{end}}</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
{{with .Nav}}<nav aria-label="Pages"><ul>{{range .}}<li><a href="{{.URL}}"{{if .Current}} aria-current="page"{{end}}>{{text .Text}}</a></li>{{end}}</ul></nav>
{{end}}<main id="main">
<h1>{{text .Title}}</h1>
{{with .Lead}}<p class="lead">{{text .}}</p>
{{end}}{{.Body}}
</main>
{{with .Foot}}<footer>{{text .}}</footer>
{{end}}{{range .Linked}}<script src="{{.}}"></script>
{{end}}{{range .Own}}<script>{{.}}</script>
{{end}}</body>
</html>
`)

// Render writes a page.
func Render(w io.Writer, p Page) error {
	styles, scripts := []string{"style.css"}, []string{"page.js"}
	if p.Charts {
		styles, scripts = append(styles, "uplot/uPlot.min.css"), append(scripts, "uplot/uPlot.iife.min.js", "chart.js")
	}
	content := struct {
		Page
		LinkedStyles, Linked []string
		OwnStyles            []template.CSS
		Own                  []template.JS
	}{Page: p}
	if p.Assets != "" {
		if p.Script != "" {
			return fmt.Errorf("page %s: a page with Assets has Scripts, not a Script", p.Title)
		}
		content.LinkedStyles, content.Linked = slices.Concat(below(p.Assets, styles), p.Styles), slices.Concat(below(p.Assets, scripts), p.Scripts)
		return shell.Execute(w, content)
	}
	for _, name := range styles {
		content.OwnStyles = append(content.OwnStyles, template.CSS(read(name)))
	}
	for _, name := range scripts {
		content.Own = append(content.Own, template.JS(read(name)))
	}
	if p.Script != "" {
		content.Own = append(content.Own, p.Script)
	}
	return shell.Execute(w, content)
}

// below returns the URLs of files below another.
func below(url string, names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = url + name
	}
	return list
}

// Write writes a page that contains all it needs into a file, which is replaced only by a complete one.
func Write(name string, p Page) error {
	if p.Assets != "" {
		return fmt.Errorf("%s: a page in a file has no Assets of a server", name)
	}
	return state.WriteFileAtomic(name, func(w io.Writer) error { return Render(w, p) })
}
