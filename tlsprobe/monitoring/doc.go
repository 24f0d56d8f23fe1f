// Package monitoring generates what Prometheus, Alertmanager and Grafana need to
// watch certificates with [github.com/holdfast-sec/holdfast/tlsprobe/exporter]:
// a scrape configuration, alert rules with their unit tests, routes and a
// dashboard.
//
//	files, err := monitoring.Files(monitoring.Options{Exporters: []string{"probe-a:9115", "probe-b:9115"}})
//	rules, err := monitoring.Rules(monitoring.Options{})
//
// Thresholds follow the life of each certificate, because fixed days alarm at
// every renewal of short-lived ones. Every endpoint may be probed by several
// exporters: an alert about a certificate or an endpoint needs all that still
// answer to agree, so a dead exporter raises an alert of its own and no other.
package monitoring
