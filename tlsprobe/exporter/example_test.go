package exporter_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"

	"github.com/holdfast-sec/holdfast/tlsprobe/exporter"
)

const modules = `
modules:
  tls_connect:
    prober: tcp
    timeout: 5s
    tcp: {tls: true}
`

// Serve the modules of a Blackbox exporter, and probe within bounds.
func Example() {
	server := httptest.NewTLSServer(http.NotFoundHandler()) // its certificate is nobody's
	defer server.Close()

	e := &exporter.Exporter{Guard: exporter.Guard{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	if err := e.Load("modules.yml", []byte(modules)); err != nil {
		log.Fatal(err)
	}
	for _, target := range []string{server.Listener.Addr().String(), "169.254.169.254:80"} {
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/probe?module=tls_connect&target="+target, nil))
		for line := range strings.Lines(answer.Body.String()) {
			if strings.HasPrefix(line, "probe_success") || strings.HasPrefix(line, "tlsprobe_reason{") || strings.HasPrefix(line, "probe_ssl_earliest_cert_expiry") {
				fmt.Print(line)
			}
		}
	}
	// Output:
	// probe_success 0
	// probe_ssl_earliest_cert_expiry 3600000000
	// tlsprobe_reason{code="self_signed"} 1
	// probe_success 0
	// tlsprobe_reason{code="forbidden"} 1
}
