// Package pki mints certificate authorities and certificates in memory, for
// tests that need real TLS, and writes them in the forms that Java and Go read.
//
//	ca, err := pki.NewCA("test")
//	cert, err := ca.Issue(pki.Leaf{CommonName: "broker", DNSNames: []string{"localhost"}})
//	files, err := cert.WriteFiles(t.TempDir())
//
// Validity dates are fixed, so that no test depends on the clock unless it
// sets dates itself. The keys are for tests only.
package pki
