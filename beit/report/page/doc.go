// Package page has the one shell and style of all HTML pages, and their parts: tables, facts, images and charts.
//
//	var body = page.Template("flowers", `
//	<h2>Images</h2>
//	{{template "facts" .Facts}}
//	<div class="cards">{{range .Images}}
//	  <figure class="card"><img src="{{.URI}}" alt="{{text .Name}}"><figcaption>{{text .Name}}</figcaption></figure>
//	{{end}}</div>
//	<h2>Classes</h2>
//	{{template "table" .Classes}}
//	<h2>Curves</h2>
//	{{template "charts" .Curves}}`)
//
//	html, err := page.Execute(body, content)
//	if err != nil {
//		return err
//	}
//	err = page.Write("flowers.html", page.Page{Title: "Flowers", Lead: "What is in the folder.", Body: html, Charts: true})
//
// A page is one file, with its style, script and charts in it; it loads nothing from the network, and browsers are told to refuse that. Images are
// in the page too, by [PNG] and [JPEG], or lie beside it. A server sets Page.Assets and serves [Assets] there.
//
// # Parts
//
// A template made by [Template] has the functions text and lines, which make visible what cannot be seen in names, and these parts:
//
//	{{template "facts" .}}    a list of Fact: names and values side by side
//	{{template "table" .}}    a Table: it scrolls in a box of its own and can be sorted
//	{{template "charts" .}}   Charts: curves with controls for axis, scale and smoothing
//
// # Classes
//
//	.cards .card           figures in columns; .cards.small and .cards.large for other widths, .cards.two, .three
//	                       and .four for so many columns; <a class="card"> for links
//	.pixels                an image whose pixels stay sharp
//	.note .warning .error  a paragraph that stands out; .good and .bad colour a word
//	.facts                 a dl of facts
//	.scroll (.tall)        a box that scrolls what is wider (or higher) than the page; give it tabindex="0", role="region" and a label
//	table.sortable         the headings become buttons
//	table.matrix           cells are shaded by the variable --share of their style; headings of columns stand upright
//	svg.drawing            lines, circles and text in the colour of text
//	.number                a right-aligned cell; tr.changed stands out
//	.controls .button      a row of inputs; a link that looks like a button
//	.quiet .unseen         small text; text for screen readers alone
//
// Headings of a body begin at h2. The colours are the variables that style.css begins with; they follow the browser's light or dark scheme.
// Pages are made for widths from 375 pixels, can be used by keyboard, and can be printed.
//
// # Errors
//
// Write returns an error that names the file. An image without pixels is an error.
//
// # Concurrency
//
// Functions may be called by any number of goroutines.
package page
