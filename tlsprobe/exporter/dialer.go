package exporter

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// dialer connects as a module says and the guard allows.
type dialer struct {
	guard    Guard
	source   netip.Addr // zero: the system chooses
	prefer4  bool
	fallback bool // the other protocol may be used
	resolver *net.Resolver
}

// dial looks the name up once and then races the protocols as RFC 8305 does, the
// preferred one first. Blackbox connects to the first address of the preferred
// protocol alone, and reports a host down whose IPv6 is broken.
func (d *dialer) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, err
	}
	if err := d.guard.checkPort(uint16(port)); err != nil {
		return nil, err
	}
	addrs, err := d.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	first, second := d.order(addrs)
	if len(first) == 0 {
		return nil, &net.DNSError{Err: "no address of the protocol that the module demands", Name: host, IsNotFound: true}
	}
	return d.race(ctx, first, second, uint16(port))
}

func (d *dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	resolver := d.resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	return resolver.LookupNetIP(ctx, "ip", host)
}

// order splits addresses into those tried first and those after.
func (d *dialer) order(addrs []netip.Addr) (first, second []netip.Addr) {
	for _, addr := range addrs {
		if addr.Unmap().Is4() == d.prefer4 {
			first = append(first, addr)
		} else {
			second = append(second, addr)
		}
	}
	if !d.fallback {
		return first, nil
	}
	if len(first) == 0 {
		return second, nil
	}
	return first, second
}

// fallbackDelay is what RFC 8305 §5 calls the connection attempt delay.
const fallbackDelay = 300 * time.Millisecond

type dialed struct {
	conn  net.Conn
	err   error
	first bool
}

// race gives the preferred protocol a head start. It returns when both attempts
// have ended or one has won and the other been told to stop and waited for.
func (d *dialer) race(ctx context.Context, first, second []netip.Addr, port uint16) (net.Conn, error) {
	if len(second) == 0 {
		return d.each(ctx, first, port)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan dialed)
	try := func(addrs []netip.Addr, isFirst bool) {
		conn, err := d.each(ctx, addrs, port)
		results <- dialed{conn, err, isFirst}
	}
	go try(first, true)
	running, started := 1, false
	start := func() {
		if !started {
			started = true
			running++
			go try(second, false)
		}
	}
	timer := time.NewTimer(fallbackDelay)
	defer timer.Stop()
	var won net.Conn
	var firstErr, secondErr error
	for running > 0 {
		select {
		case <-timer.C:
			if won == nil {
				start()
			}
		case r := <-results:
			running--
			switch {
			case r.err == nil && won == nil:
				won = r.conn
				cancel() // ends the other attempt, not what is connected
				started = true
			case r.err == nil:
				_ = r.conn.Close() // it came second
			case r.first:
				firstErr = r.err
				if ctx.Err() == nil {
					start()
				}
			default:
				secondErr = r.err
			}
		}
	}
	if won != nil {
		return won, nil
	}
	if firstErr == nil {
		firstErr = secondErr
	}
	return nil, firstErr
}

// each tries addresses of one protocol one by one, each with its share of the
// time that is left, so that one dead address does not use it up.
func (d *dialer) each(ctx context.Context, addrs []netip.Addr, port uint16) (net.Conn, error) {
	var first error
	for i, addr := range addrs {
		share, cancel := ctx, context.CancelFunc(func() {})
		if deadline, ok := ctx.Deadline(); ok && i < len(addrs)-1 {
			share, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(addrs)-i))
		}
		conn, err := d.one(share, netip.AddrPortFrom(addr, port))
		cancel()
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

func (d *dialer) one(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	n := net.Dialer{KeepAlive: -1, ControlContext: d.control}
	if d.source.IsValid() {
		n.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(d.source, 0))
	}
	return n.DialContext(ctx, "tcp", to.String())
}

// control is asked between socket(2) and connect(2) with the address that
// connect gets, whatever was looked up before.
func (d *dialer) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return errors.Join(forbidden("%q is no address", address), err)
	}
	return d.guard.check(to)
}
