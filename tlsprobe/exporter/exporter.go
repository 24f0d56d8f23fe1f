package exporter

import (
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// Exporter answers /probe, /metrics and /-/healthy. Set its fields, load a module
// file with [Exporter.Load], and serve it.
type Exporter struct {
	// Guard bounds where probes connect. Its zero value leaves out link-local,
	// unspecified and multicast addresses.
	Guard Guard
	// Files serves modules with the prober "file". Nil refuses them.
	Files Source
	// MaxInFlight limits parallel probes; one more is answered with 503. Zero
	// means 1000.
	MaxInFlight int
	// TimeoutOffset is taken off the scrape timeout that Prometheus announces, so
	// that the answer is there in time. Zero means 500 ms.
	TimeoutOffset time.Duration
	// ReadFile reads the files that tls_config names. Nil means [os.ReadFile].
	ReadFile func(name string) ([]byte, error)
	// Resolver looks names up. Nil means the system's.
	Resolver *net.Resolver
	// Now is the time at which certificates are judged. Nil means [time.Now].
	Now func() time.Time
	// Logger gets a line for each probe at level debug, and for each load. Nil
	// discards.
	Logger *slog.Logger

	modules  atomic.Pointer[map[string]*module]
	inFlight atomic.Int64
	counts   counts
}

// Load reads a module file and takes it from the next probe on; those under way
// end with the old one. source names it in problems. If anything is wrong with
// it, which the error says in full, the old one stays. Certificate files that it
// names are read again as well: load it anew when one was replaced.
func (e *Exporter) Load(source string, data []byte) error {
	list, err := parse(source, data)
	if err == nil {
		var modules map[string]*module
		if modules, err = e.build(source, list); err == nil {
			e.modules.Store(&modules)
			e.logger().Info("modules loaded", "source", source, "modules", len(modules))
		}
	}
	e.counts.loaded(err == nil, e.now())
	return err
}

func (e *Exporter) module(name string) *module {
	modules := e.modules.Load()
	if modules == nil {
		return nil
	}
	return (*modules)[name]
}

// ServeHTTP implements [http.Handler].
func (e *Exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method "+r.Method+" is not allowed; allowed are GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/probe":
		e.serveProbe(w, r)
	case "/metrics":
		e.serveMetrics(w, r)
	case "/-/healthy":
		if e.modules.Load() == nil {
			http.Error(w, "no module file is loaded", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("healthy\n")) // the client is gone or not
	default:
		http.NotFound(w, r)
	}
}

func (e *Exporter) readFile(name string) ([]byte, error) {
	if e.ReadFile != nil {
		return e.ReadFile(name)
	}
	return os.ReadFile(name)
}

func (e *Exporter) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}

func (e *Exporter) logger() *slog.Logger {
	if e.Logger != nil {
		return e.Logger
	}
	return slog.New(slog.DiscardHandler)
}

func (e *Exporter) maxInFlight() int64 {
	if e.MaxInFlight > 0 {
		return int64(e.MaxInFlight)
	}
	return 1000
}

func (e *Exporter) offset() time.Duration {
	if e.TimeoutOffset > 0 {
		return e.TimeoutOffset
	}
	return 500 * time.Millisecond
}
