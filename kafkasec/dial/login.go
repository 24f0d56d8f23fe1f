package dial

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

// LoginAnswer is what a broker said to a login with SCRAM.
type LoginAnswer struct {
	// Accepted: the password is that of the credential, and the broker has proved
	// that it knows it too.
	Accepted bool
	// Iterations are those of the credential that the password was compared with;
	// 0 where the broker refused the user before it came to the password, as it
	// does where it knows no such credential.
	Iterations int32
}

// refusalDelay is granted for the answer to a login on top of the request's
// timeout: brokers hold a refusal back for connection.failed.authentication.delay.ms
// (KIP-306), 100 ms by default and without an upper limit.
const refusalDelay = time.Minute

// Login tries the user name and password of a SCRAM config and hangs up. It makes
// one connection, to the first of the brokers that accepts one, and sends
// SaslHandshake and two SaslAuthenticate over it: the requests of a client come
// after those. Trust, names and time limits are those of [Connect].
//
// A broker that judged the login gives an answer, whatever it is. The error, an
// [*Error] where something was tried, is for when nobody did: nothing answers, the
// certificate is not trusted, the mechanism is not enabled, or the connection was
// closed instead of an answer, which may be a throttle or a proxy as well.
func Login(ctx context.Context, cfg Config) (LoginAnswer, error) {
	if err := cfg.Validate(); err != nil {
		return LoginAnswer{}, err
	}
	if !cfg.Protocol.sasl() || cfg.Mechanism != ScramSHA256 && cfg.Mechanism != ScramSHA512 {
		return LoginAnswer{}, holdfast.Problems{{Path: "Mechanism", Message: fmt.Sprintf("%q with protocol %s; allowed to try a login: %s and %s with %s or %s",
			cfg.Mechanism, cfg.protocol(), ScramSHA256, ScramSHA512, SASLSSL, SASLPlaintext)}}
	}
	l := loginTry{dialer: dialer{cfg: cfg, limit: cfg.timeout(), seen: new(witness)}}
	var errs []error
	for _, addr := range cfg.addrs() {
		conn, err := l.dial(ctx, "tcp", addr)
		if err == nil {
			defer conn.Close()
			answer, err := l.login(ctx, conn, addr)
			if err != nil {
				return answer, l.explain(ctx, addr, err)
			}
			return answer, nil
		}
		errs = append(errs, l.explain(ctx, addr, err))
		var st *stageError
		if ctx.Err() != nil || !errors.As(err, &st) || st.stage != stageTCP {
			break // it was reached
		}
	}
	if len(errs) == 1 {
		return LoginAnswer{}, errs[0]
	}
	return LoginAnswer{}, errors.Join(errs...)
}

// loginTry is one login.
type loginTry struct {
	dialer
	iterations int32 // as the broker's first message has them
}

func (l *loginTry) login(ctx context.Context, conn net.Conn, addr string) (LoginAnswer, error) {
	hello := kmsg.NewPtrSASLHandshakeRequest()
	hello.Version, hello.Mechanism = 1, string(l.cfg.Mechanism)
	enabled := kmsg.NewPtrSASLHandshakeResponse()
	enabled.Version = 1
	if err := l.ask(ctx, conn, addr, l.cfg.timeout(), hello, enabled); err != nil {
		return LoginAnswer{}, err
	}
	if err := kerr.ErrorForCode(enabled.ErrorCode); err != nil {
		return LoginAnswer{}, err
	}
	session, message, err := l.cfg.sasl().Authenticate(ctx, addr)
	for done := false; err == nil && !done; {
		// Version 0 is of Kafka 1.0, and says all that is needed here.
		req, resp := kmsg.NewPtrSASLAuthenticateRequest(), kmsg.NewPtrSASLAuthenticateResponse()
		req.SASLAuthBytes = message
		wait := cmp.Or(l.cfg.RequestTimeout, 30*time.Second) + refusalDelay
		if err := l.ask(ctx, conn, addr, wait, req, resp); err != nil {
			return LoginAnswer{}, err
		}
		switch err := kerr.ErrorForCode(resp.ErrorCode); {
		case errors.Is(err, kerr.SaslAuthenticationFailed):
			return LoginAnswer{Iterations: l.iterations}, nil
		case err != nil:
			return LoginAnswer{}, err
		}
		if l.iterations == 0 {
			l.iterations = scramIterations(resp.SASLAuthBytes)
		}
		done, message, err = session.Challenge(resp.SASLAuthBytes)
	}
	if err != nil {
		return LoginAnswer{}, err
	}
	return LoginAnswer{Accepted: true, Iterations: l.iterations}, nil
}

func (l *loginTry) ask(ctx context.Context, conn net.Conn, addr string, limit time.Duration, req kmsg.Request, resp kmsg.Response) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	l.seen.note(addr, func(f *facts) { f.wrote = req.Key() })
	err := ask(ctx, conn, req, resp)
	if err == nil {
		l.seen.note(addr, func(f *facts) { f.read = req.Key() })
	}
	return err
}

// explain finds the cause. That a broker closed the connection on a login is not
// the refusal that Connect takes it for.
func (l *loginTry) explain(ctx context.Context, addr string, err error) error {
	e := l.cfg.classify(addr, err, l.seen.facts(addr))
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Cause, e.Detail, e.Err = CauseCanceled, "", context.Cause(ctx)
	case e.Cause == CauseCredentials:
		e.Cause, e.Detail = CauseClosed, "instead of answering the login"
	}
	return e
}

// scramIterations reads i= of a server's first message (RFC 5802 §5.1); 0 where
// there is none, which the session then refuses.
func scramIterations(message []byte) int32 {
	for _, attr := range bytes.Split(message, []byte(",")) {
		if text, found := bytes.CutPrefix(attr, []byte("i=")); found {
			n, err := strconv.ParseInt(string(text), 10, 32)
			if err == nil {
				return int32(n)
			}
		}
	}
	return 0
}
