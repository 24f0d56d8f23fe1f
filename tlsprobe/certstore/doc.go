// Package certstore finds the certificates that lie in files and in a cluster
// before they are served, and says when each ends. It is for exporters and
// inventories that have to see a keystore that no endpoint shows, a CA bundle of
// a webhook, or the certificates that k3s will renew at its next restart.
//
//	for found := range certstore.Read(ctx, os.DirFS("/etc/ssl"), certstore.Options{}) {
//		findings := found.Check(tlsprobe.Policy{})
//	}
//
// It reads PEM bundles, DER, PKCS#7, JKS, JCEKS and PKCS#12 (also with several
// keys, or certificates only), kubeconfigs, and in manifests TLS Secrets,
// ConfigMaps and the caBundle of webhooks, API services and CRDs. Private keys are
// never opened. A wrong password, a damaged part or a file that cannot be read is a
// [Found] with an error, beside what could be read. [ReadObjects] does the same for
// the objects of a live cluster.
package certstore
