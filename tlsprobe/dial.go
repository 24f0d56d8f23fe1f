package tlsprobe

import (
	"context"
	"net"
	"net/http/httptrace"
	"net/netip"
	"sync"
	"time"
)

// dial connects, and says how long the name and the connection took. A caller's
// dialer that looks the name up with a [net.Resolver] is timed as well.
func (p *Prober) dial(ctx context.Context, r *Result) (net.Conn, error) {
	start := time.Now()
	var lookup lookupTime
	if host, _, err := net.SplitHostPort(r.Target.Dial); err == nil && net.ParseIP(host) == nil {
		ctx = httptrace.WithClientTrace(ctx, lookup.trace())
	}
	connect := p.Dial
	if connect == nil {
		connect = (&net.Dialer{Resolver: p.Resolver, KeepAlive: -1}).DialContext
	}
	conn, err := connect(ctx, r.Target.Network, r.Target.Dial)
	r.Timings.DNS = lookup.took()
	r.Timings.Connect = time.Since(start) - r.Timings.DNS
	if err == nil {
		r.Address = addrPort(conn.RemoteAddr())
	}
	return conn, err
}

// lookupTime measures how long a dialer looked a name up.
type lookupTime struct {
	mu          sync.Mutex
	start, done time.Time
}

func (l *lookupTime) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { l.mu.Lock(); l.start = time.Now(); l.mu.Unlock() },
		DNSDone:  func(httptrace.DNSDoneInfo) { l.mu.Lock(); l.done = time.Now(); l.mu.Unlock() },
	}
}

func (l *lookupTime) took() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.start.IsZero() || l.done.IsZero() {
		return 0
	}
	return l.done.Sub(l.start)
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		at := tcp.AddrPort()
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return netip.AddrPort{}
}
