// Command tlsprobe shows what is the matter with the TLS of endpoints:
//
//	tlsprobe probe example.org smtp://mail.example.org
//	tlsprobe probe db.example.org:5432 --starttls auto -o json
//	tlsprobe scan -f targets.txt > results.jsonl
//
// It exits with 0 when every endpoint holds what the policy asks, 2 when one does
// not or cannot be reached, and 1 for wrong usage.
package main
