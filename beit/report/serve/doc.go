// Package serve is a local dashboard: a web server that shows the runs in a folder, their curves while they go on, and what their models make of
// an image.
//
//	s := serve.New("runs", serve.Options{Addr: "127.0.0.1:7350"})
//	defer s.Close()
//	l, err := net.Listen("tcp", "127.0.0.1:7350")
//	if err != nil {
//		return err
//	}
//	err = s.Serve(ctx, l) // until ctx ends
//
// # Pages
//
//	/             the runs, the ones under way first, kept up to date
//	/run/NAME     a run: its state, curves, verdict and configuration; NAME is its place below the root
//	/events/NAME  what happens in the run, as server-sent events: status, charts (all curves), points (single ones)
//	/files/NAME/… the report of a run, and the pages that "beit codebook" and "beit map" wrote into its folder
//	/image/NAME   takes an image by POST, and answers in JSON with what the run's model makes of it
//
// A series has at most 1000 points, in the server and on the page: of neighbours the lowest and the highest stay. All pages of a run share
// one reader.
//
// # Security
//
// Run folders and images need not be trusted. The server sends no file of a run but those pages, and none from outside the root. The nearest images
// are the exception: they are shown reduced, from the folders that the run's index names. Pages in run folders run in an origin of their own. An
// image is bounded in bytes and pixels, and is not written to disk.
//
// Scripts of other sites are refused, and so are requests for a name that is not this machine's. Files in run folders are sent to them too, because
// the pages there count as another site; only images among them can be shown elsewhere, by who knows their names. There is no encryption and no
// password: who reaches the address sees the runs.
//
// # Errors
//
// A run that is damaged, half-written or deleted is shown as such. Requests that fail are answered with one line and a status: 404 for what is
// not there, 413 and 415 for images that are too large or none, 503 when too many wait.
//
// # Concurrency
//
// The handler serves any number of requests at once. One image at a time is computed.
package serve
