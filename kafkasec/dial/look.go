package dial

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// look takes a second look at a port whose failure leaves a question, and
// settles it. It never sends a credential. An inconclusive look leaves e as it
// was.
func (d dialer) look(ctx context.Context, e *Error) {
	_, alerted := alertOf(e.Err)
	f := d.seen.facts(e.Addr)
	unclear := f.tcp && !alerted && (isClosed(e.Err) || isTimeout(e.Err))
	switch {
	case e.Cause == CauseMechanism || e.Cause == CauseSASLRequired:
		if enabled, err := d.mechanisms(ctx, e.Addr, d.cfg.Protocol.tls()); err == nil {
			e.Detail = "it enables " + strings.Join(enabled, ", ")
		} else if errors.Is(err, kerr.IllegalSaslState) {
			e.Cause, e.Detail = CauseClosed, "after Metadata; SASL is not what it misses"
		}
	case !unclear:
	case !d.cfg.Protocol.tls() && (e.Cause == CauseClosed || e.Cause == CauseTimeout) && f.read < 0:
		if d.speaksTLS(ctx, e.Addr) {
			e.Cause, e.Detail = CauseTLSRequired, ""
		}
	case d.cfg.Protocol.tls() && (e.Cause == CauseTLSNotEnabled || e.Cause == CauseTimeout) && f.wrote < 0:
		d.lookPlain(ctx, e)
	}
}

// lookPlain finds out whether the port that did not answer TLS speaks Kafka in
// plaintext, and whether with SASL.
func (d dialer) lookPlain(ctx context.Context, e *Error) {
	conn, err := d.tcp(ctx, "tcp", e.Addr)
	if err != nil {
		return
	}
	defer conn.Close()
	if err := ask(ctx, conn, kmsg.NewPtrApiVersionsRequest(), kmsg.NewPtrApiVersionsResponse()); err != nil {
		return
	}
	e.Cause, e.Detail = CauseTLSNotEnabled, "it speaks Kafka in plaintext"
	if enabled, err := d.mechanisms(ctx, e.Addr, false); err == nil {
		e.Detail += ", with SASL " + strings.Join(enabled, ", ")
	}
}

// speaksTLS reports whether the port answers a ClientHello with TLS: a finished
// handshake or an alert. It looks only at the protocol, so it need not trust
// the certificate; nothing is sent over the connection.
func (d dialer) speaksTLS(ctx context.Context, addr string) bool {
	conn, err := d.tcp(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	host, _, _ := net.SplitHostPort(addr)
	_, err = d.handshake(ctx, conn, addr, &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
	if err == nil {
		return true
	}
	_, alert := alertOf(err)
	return alert
}

// mechanisms asks which SASL mechanisms the broker enables. It names one that
// does not exist: the broker then lists those that do, and no login begins.
func (d dialer) mechanisms(ctx context.Context, addr string, overTLS bool) ([]string, error) {
	conn, err := d.tcp(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if overTLS {
		// Of its own name: the handshake gives no connection where it fails.
		secured, err := d.handshake(ctx, conn, addr, d.tlsConfig(addr))
		if err != nil {
			return nil, err
		}
		conn = secured
	}
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Version = 1
	req.Mechanism = "NONE"
	resp := kmsg.NewPtrSASLHandshakeResponse()
	resp.Version = 1
	if err := ask(ctx, conn, req, resp); err != nil {
		return nil, err
	}
	err = kerr.ErrorForCode(resp.ErrorCode)
	if len(resp.SupportedMechanisms) == 0 {
		if err == nil {
			err = errors.New("no mechanism listed")
		}
		return nil, err
	}
	// A broker lists them in the order of a hash map.
	return slices.Sorted(slices.Values(resp.SupportedMechanisms)), nil
}

// ask sends one request and reads its answer. For requests with headers that
// are not flexible: ApiVersions v0 and SaslHandshake.
func ask(ctx context.Context, conn net.Conn, req kmsg.Request, resp kmsg.Response) error {
	// What is on the other side may be anything: its idea of a length is not
	// believed beyond what the two answers can need.
	const limit = 64 << 10
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	const id = 1
	if _, err := conn.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("holdfast")).AppendRequest(nil, req, id)); err != nil {
		return err
	}
	var head [8]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	size, got := binary.BigEndian.Uint32(head[:4]), binary.BigEndian.Uint32(head[4:])
	if size < 4 || size > limit || got != id {
		return fmt.Errorf("not a Kafka answer: % x", head)
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(conn, body); err != nil {
		return err
	}
	return resp.ReadFrom(body)
}
