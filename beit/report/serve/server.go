package serve

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"time"

	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/tensor"
)

// Places below which the server has its pages and files.
const (
	assetsPath = "/assets/"
	ownPath    = "/own/"
	runPath    = "/run/"
	eventsPath = "/events/"
	filesPath  = "/files/"
	imagePath  = "/image/"
)

// Limits of connections. A stream of events has its own.
const (
	headerLimit  = 5 * time.Second
	requestLimit = time.Minute     // an image arrives
	answerLimit  = 5 * time.Minute // and a large model computes on a slow machine
	idleLimit    = 2 * time.Minute
	headerBytes  = 32 << 10
	endLimit     = 700 * time.Millisecond // requests under way end, before the command ends by itself
)

// Options are the options of a Server. The zero value is valid.
type Options struct {
	Addr   string                     // HOST:PORT by which browsers reach the server, beside localhost and addresses
	Device *tensor.Device             // nil means the CPU
	Shell  func(args []string) string // writes a command as a shell reads it; nil: words with spaces between
}

// Server serves the dashboard of the runs in a folder. Close it at the end.
type Server struct {
	opt    Options
	roster *roster
	feeds  *feeds
	models *models
	stop   context.CancelFunc
}

//go:embed assets
var embedded embed.FS

// New returns a server of the runs in root and below it. The folder may be empty.
func New(root string, opt Options) *Server {
	ctx, stop := context.WithCancel(context.Background())
	return &Server{opt: opt, roster: &roster{root: root}, feeds: newFeeds(ctx), models: newModels(opt.Device), stop: stop}
}

// Close ends what follows runs, and frees the model that is open.
func (s *Server) Close() error {
	s.stop()
	return s.models.close()
}

// Handler returns the routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.listPage)
	mux.HandleFunc("GET /list", s.list)
	mux.HandleFunc("GET "+runPath+"{name...}", s.runPage)
	mux.HandleFunc("GET "+eventsPath+"{name...}", s.events)
	mux.HandleFunc("GET "+filesPath+"{name...}", s.file)
	mux.HandleFunc("GET "+imagePath+"{name...}", s.imagePage)
	mux.HandleFunc("POST "+imagePath+"{name...}", s.image)
	own, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux.Handle("GET "+assetsPath, http.StripPrefix(assetsPath, http.FileServerFS(page.Assets)))
	mux.Handle("GET "+ownPath, http.StripPrefix(ownPath, http.FileServerFS(own)))
	return guard(hostNames(s.opt.Addr), mux)
}

// Serve answers requests that come in by l until ctx ends. Streams of events end at once then, and other requests have a moment.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), BaseContext: func(net.Listener) context.Context { return ctx }, MaxHeaderBytes: headerBytes,
		ReadHeaderTimeout: headerLimit, ReadTimeout: requestLimit, WriteTimeout: answerLimit, IdleTimeout: idleLimit,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	return err
}
