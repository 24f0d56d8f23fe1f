package tlsprobe_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// listen serves TLS with a certificate for localhost that ended yesterday.
func listen() (address string, closeIt func()) {
	ca, err := pki.NewCA("a private CA")
	if err != nil {
		panic(err)
	}
	yesterday := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	leaf, err := ca.Issue(pki.Leaf{CommonName: "broker", DNSNames: []string{"localhost"}, Server: true, NotBefore: yesterday.AddDate(0, -3, 0), NotAfter: yesterday})
	if err != nil {
		panic(err)
	}
	cert := tls.Certificate{PrivateKey: leaf.Key, Certificate: [][]byte{leaf.Chain[0].Raw, ca.Cert.Raw}}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func(conn net.Conn) {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 1))
			}(conn)
		}
	}()
	return l.Addr().String(), func() { l.Close() }
}

func Example() {
	address, closeIt := listen()
	defer closeIt()

	p := tlsprobe.Prober{Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }}
	r := p.Probe(context.Background(), tlsprobe.Target{Host: "kafka.example.org", Dial: address})

	fmt.Println(r.Certificates[0].Subject, "until", r.Certificates[0].NotAfter.Format(time.DateOnly))
	for _, reason := range r.Reasons {
		fmt.Println(reason.Code)
	}
	// Output:
	// CN=broker until 2026-11-23
	// expired
	// wrong_host
	// unknown_ca
}
