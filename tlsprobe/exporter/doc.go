// Package exporter serves the probes of package tlsprobe to Prometheus, in the
// place of the tcp prober of the Blackbox exporter: its module file is read
// unchanged, and its series keep their names and labels. It is for programs that
// run an exporter; examples/tlsprobe is one.
//
//	e := &exporter.Exporter{Guard: exporter.Guard{Networks: networks}}
//	err := e.Load("modules.yml", data)  // again for each change, while it serves
//	http.ListenAndServe(address, e)     // /probe, /metrics, /-/healthy
//
// Unlike Blackbox's, the series about certificates stand wherever a certificate
// was received, also an expired or untrusted one; no series is ever the zero
// time; a missing client certificate is a failure in TLS 1.3 too; and for each
// certificate and each reason there are series of our own.
package exporter
