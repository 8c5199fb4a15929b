package serve

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
)

// ownPolicy is the content security policy of the server's own pages: scripts and styles are its files, and images may be part of a page.
const ownPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// folderPolicy is that of pages in run folders. Whoever wrote them need not be trusted. Their scripts run, but in an origin of their own: they
// cannot read what else the server shows, and cannot post to it. They can lead to another site, and tell it what they themselves contain.
const folderPolicy = "sandbox allow-scripts allow-popups allow-downloads; default-src 'none'; script-src 'self' 'unsafe-inline'; " +
	"style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard lets through what this machine's user may have asked for. A page of another site, open in the same browser, can send requests too:
// those that change or compute something are refused, and those that read something by a script. A name of another site can lead to this
// machine's address (DNS rebinding), so the host must be an address, or one of the names.
func guard(names []string, next http.Handler) http.Handler {
	posts := http.NewCrossOriginProtection()
	posts.SetDenyHandler(http.HandlerFunc(foreign))
	next = posts.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", ownPolicy)
		switch {
		case !ownHost(r.Host, names):
			http.Error(w, "this server answers to its address and to localhost alone", http.StatusMisdirectedRequest)
		case r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" && !isFile(r):
			foreign(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// foreign refuses a request of another site's page.
func foreign(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "the request comes from a page of another site", http.StatusForbidden)
}

// isFile says that a request is for a file in a run folder. Pages there have an origin of their own, so what they load comes as from another site.
func isFile(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, filesPath) }

// hostNames are the names by which a server with this address is reached.
func hostNames(addr string) []string {
	names := []string{"localhost"}
	if host, _, err := net.SplitHostPort(addr); err == nil && host != "" {
		names = append(names, host)
	}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	return names
}

// ownHost says whether the host of a request is an address or one of the names. The port may be another: it is one that was forwarded.
func ownHost(host string, names []string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for _, name := range names {
		if strings.EqualFold(host, name) {
			return true
		}
	}
	return false
}
