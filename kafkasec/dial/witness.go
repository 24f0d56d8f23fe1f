package dial

import (
	"crypto/x509"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// facts are what is known about the conversation with one address. An error
// alone ("EOF") does not tell a wrong password from a missing one.
type facts struct {
	// tcp: the TCP connection was made.
	tcp bool
	// wrote and read are the API keys of the last request that was sent and the
	// last answer that came, or -1.
	wrote, read int16
	// first are the first bytes that came over a plaintext connection.
	first []byte
	// certAsked: the broker asked for a client certificate; certSent: what was
	// sent, nil for none; certCAs: the authorities that the broker named.
	certAsked bool
	certSent  *x509.Certificate
	certCAs   [][]byte
}

func unknown() facts { return facts{wrote: -1, read: -1} }

// witness collects facts while Connect proves a connection. It stays with the
// client, but takes no notes after stop.
type witness struct {
	mu      sync.Mutex
	stopped bool
	by      map[string]*facts
}

var (
	_ kgo.HookBrokerWrite = (*witness)(nil)
	_ kgo.HookBrokerRead  = (*witness)(nil)
)

func (w *witness) note(addr string, f func(*facts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	if w.by == nil {
		w.by = make(map[string]*facts)
	}
	if w.by[addr] == nil {
		w.by[addr] = new(unknown())
	}
	f(w.by[addr])
}

func (w *witness) facts(addr string) facts {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.by[addr]; f != nil {
		return *f
	}
	return unknown()
}

func (w *witness) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped, w.by = true, nil
}

// begin forgets an earlier conversation: kgo retries some failures on a second
// connection, and the facts must be of the one that gave the error.
func (w *witness) begin(addr string) {
	w.note(addr, func(f *facts) { *f = unknown() })
}

func (w *witness) connected(addr string) {
	w.note(addr, func(f *facts) { f.tcp = true })
}

func (w *witness) certificate(addr string, cas [][]byte, sent *x509.Certificate) {
	w.note(addr, func(f *facts) { f.certAsked, f.certSent, f.certCAs = true, sent, cas })
}

func (w *witness) firstBytes(addr string, p []byte) {
	w.note(addr, func(f *facts) { f.first = append([]byte(nil), p[:min(len(p), 16)]...) })
}

// OnBrokerWrite notes the request that was sent.
func (w *witness) OnBrokerWrite(meta kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if err == nil {
		w.note(metaAddr(meta), func(f *facts) { f.wrote = key })
	}
}

// OnBrokerRead notes the answer that came.
func (w *witness) OnBrokerRead(meta kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if err == nil {
		w.note(metaAddr(meta), func(f *facts) { f.read = key })
	}
}

func metaAddr(meta kgo.BrokerMetadata) string {
	return net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port)))
}
