// Package browsertest opens the pages that beit writes and serves in headless Chromium. It is a module of its own, so that who builds beit does not
// need a client of browsers.
//
//	go test ./...                                  # here; needs Chromium
//	BEIT_SCREENSHOTS=DIR go test ./...             # and leaves a screenshot of each page at each width, light and dark
//	go test -run '^$' -bench . -benchtime 5x       # from navigation to the last chart, on an idle machine
//
// pages_test.go has the table of pages: a new one is a line in it. check_test.go has what must hold on every page.
package browsertest
