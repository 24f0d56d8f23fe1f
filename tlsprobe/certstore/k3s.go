package certstore

import (
	"path"
	"strings"
	"time"
)

// k3sRenewal is how long before its end k3s renews a leaf when it restarts:
// CertificateRenewDays of pkg/daemons/config/types.go. It is 120 since v1.33.1,
// v1.32.5, v1.31.9 and v1.30.13 (k3s #12171); the later date holds for all.
const k3sRenewal = 90 * 24 * time.Hour

// k3sFiles are the files of the tree below its data directory, which is
// /var/lib/rancher/k3s (deps.go in pkg/daemons/control/deps, and pkg/agent/config;
// v1.33).
var k3sFiles = map[string]string{
	"server/tls/client-admin.crt":                                    "client certificate of kubectl as cluster administrator",
	"server/tls/client-supervisor.crt":                               "client certificate of the k3s supervisor",
	"server/tls/client-controller.crt":                               "client certificate of kube-controller-manager",
	"server/tls/client-scheduler.crt":                                "client certificate of kube-scheduler",
	"server/tls/client-kube-apiserver.crt":                           "client certificate of kube-apiserver towards kubelets",
	"server/tls/client-kube-proxy.crt":                               "client certificate of kube-proxy",
	"server/tls/client-k3s-controller.crt":                           "client certificate of the agent's controllers",
	"server/tls/client-k3s-cloud-controller.crt":                     "client certificate of the cloud controller",
	"server/tls/client-cloud-controller.crt":                         "client certificate of the cloud controller",
	"server/tls/client-auth-proxy.crt":                               "client certificate of kube-apiserver towards extension API servers",
	"server/tls/serving-kube-apiserver.crt":                          "serving certificate of kube-apiserver",
	"server/tls/kube-controller-manager/kube-controller-manager.crt": "serving certificate of kube-controller-manager",
	"server/tls/kube-scheduler/kube-scheduler.crt":                   "serving certificate of kube-scheduler",
	"server/tls/dynamic-cert.json":                                   "serving certificate of the supervisor and API port (6443)",
	"server/tls/etcd/client.crt":                                     "client certificate of kube-apiserver towards etcd",
	"server/tls/etcd/server-client.crt":                              "serving certificate of etcd",
	"server/tls/etcd/peer-server-client.crt":                         "certificate of etcd towards its peers",
	"agent/client-kubelet.crt":                                       "client certificate of the kubelet",
	"agent/serving-kubelet.crt":                                      "serving certificate of the kubelet",
	"agent/client-kube-proxy.crt":                                    "client certificate of kube-proxy",
	"agent/client-k3s-controller.crt":                                "client certificate of the agent's controllers",
}

// k3sCAs are not renewed by themselves (k3s certificate rotate-ca).
var k3sCAs = map[string]string{
	"server/tls/client-ca.crt":                 "CA of client certificates",
	"server/tls/client-ca.nochain.crt":         "CA of client certificates, alone",
	"server/tls/server-ca.crt":                 "CA of serving certificates",
	"server/tls/server-ca.nochain.crt":         "CA of serving certificates, alone",
	"server/tls/request-header-ca.crt":         "CA of the aggregation layer",
	"server/tls/request-header-ca.nochain.crt": "CA of the aggregation layer, alone",
	"server/tls/etcd/server-ca.crt":            "CA of etcd's clients and servers",
	"server/tls/etcd/peer-ca.crt":              "CA of etcd's peers",
	"agent/client-ca.crt":                      "CA of client certificates, as the agent has it",
	"agent/server-ca.crt":                      "CA of serving certificates, as the agent has it",
}

// k3s says what a file of its tree is for, and when it will be renewed.
func k3s(f *Found) {
	below := k3sPath(f.Path)
	if purpose, ok := k3sCAs[below]; ok {
		f.Purpose, f.Role = purpose, Trusted
		f.Notes = append(f.Notes, "k3s does not renew its CAs: `k3s certificate rotate-ca` does")
		return
	}
	purpose, ok := k3sFiles[below]
	if !ok {
		return
	}
	f.Purpose = purpose
	if len(f.Certificates) == 0 || f.Certificates[0].NotAfter.IsZero() {
		return
	}
	if f.Role == Listed {
		f.Role = Key // in a file of its own
	}
	f.RenewsFrom = f.Certificates[0].NotAfter.Add(-k3sRenewal)
	if f.RenewsFrom.After(f.At) {
		f.Notes = append(f.Notes, "k3s renews it when it restarts from "+f.RenewsFrom.Format(time.DateOnly)+" on; the releases since May 2025 do from 30 days earlier on")
	} else {
		f.Notes = append(f.Notes, "k3s renews it when it restarts now")
	}
}

// k3sPath is the part of a path below the data directory of k3s.
func k3sPath(p string) string {
	segments := strings.Split(path.Clean("/"+p), "/")
	for i, s := range segments {
		if s == "agent" && i+1 < len(segments) || s == "server" && i+1 < len(segments) && segments[i+1] == "tls" {
			return strings.Join(segments[i:], "/")
		}
	}
	return ""
}
