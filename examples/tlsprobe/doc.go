// Command tlsprobe shows what is the matter with the TLS of endpoints, and
// with certificates in files:
//
//	tlsprobe probe example.org smtp://mail.example.org
//	tlsprobe probe db.example.org:5432 --starttls auto -o json
//	tlsprobe scan -f targets.txt > results.jsonl
//	tlsprobe files /etc/ssl /var/lib/rancher/k3s
//
// It exits with 0 when all hold what the policy asks, 2 when one does not or cannot
// be reached or read, and 1 for wrong usage.
package main
