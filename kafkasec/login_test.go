package kafkasec

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// loginWire watches the connections of logins: how many there are, at once and
// in all, and which requests go over each.
type loginWire struct {
	mu                sync.Mutex
	conns             []*watchedConn
	open, most, reach int
	// refuses makes the embedded broker, which hangs up on a wrong password, answer
	// as Kafka does.
	refuses bool
	// down is what every connection fails with.
	down error
	// gate, where set, holds connections until it is closed.
	gate chan struct{}
}

func (w *loginWire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	gate, down := w.gate, w.down
	w.mu.Unlock()
	if down != nil {
		return nil, down
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.open++
	w.most = max(w.most, w.open)
	c := &watchedConn{Conn: conn, wire: w}
	w.conns = append(w.conns, c)
	if w.open == w.reach {
		close(w.gate)
		w.reach = 0
	}
	w.mu.Unlock()
	if gate != nil {
		<-gate
	}
	return c, nil
}

type watchedConn struct {
	net.Conn
	wire *loginWire
	keys []kmsg.Key
	rest []byte // of a synthetic answer
	end  sync.Once
}

// Write gets one request at a time.
func (c *watchedConn) Write(p []byte) (int, error) {
	c.wire.mu.Lock()
	c.keys = append(c.keys, kmsg.Key(binary.BigEndian.Uint16(p[4:])))
	c.wire.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *watchedConn) Read(p []byte) (int, error) {
	if len(c.rest) > 0 {
		n := copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if n == 0 && errors.Is(err, io.EOF) && c.wire.refuses && c.keys[len(c.keys)-1] == kmsg.SASLAuthenticate {
		resp := kmsg.NewPtrSASLAuthenticateResponse()
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		body := resp.AppendTo([]byte{0, 0, 0, 1})
		c.rest = append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
		return c.Read(p)
	}
	return n, err
}

func (c *watchedConn) Close() error {
	c.end.Do(func() {
		c.wire.mu.Lock()
		c.wire.open--
		c.wire.mu.Unlock()
	})
	return c.Conn.Close()
}

// take gives the requests of each connection since the last call.
func (w *loginWire) take() [][]kmsg.Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all [][]kmsg.Key
	for _, c := range w.conns {
		all = append(all, c.keys)
	}
	w.conns = nil
	return all
}

// exchange is all that a login may send.
var exchange = []kmsg.Key{kmsg.SASLHandshake, kmsg.SASLAuthenticate, kmsg.SASLAuthenticate}

// vault is a resolver whose secrets change.
type vault map[string]string

func (v vault) resolve(_ context.Context, ref string) (holdfast.Secret, error) {
	if v[ref] == "" {
		return holdfast.Secret{}, errors.New("no such entry")
	}
	return holdfast.NewSecret(v[ref]), nil
}

func withLogins(t *testing.T) (*fake, *loginWire, vault) {
	f, w, v := newFake(t), &loginWire{refuses: true}, vault{"env:A": "first", "env:B": "other"}
	f.r.Resolve = v.resolve
	f.r.Logins = &dial.Config{Brokers: f.ListenAddrs(), Protocol: dial.SASLPlaintext, Dial: w.dial}
	return f, w, v
}

func both(name, ref string) Spec {
	return Spec{Scope: Scope{Principals: []string{"User:" + name}}, Users: []User{
		{Name: name, Mechanisms: []ScramMechanism{ScramSHA256, ScramSHA512}, Password: ref},
	}}
}

// The whole way: nothing is tried of what does not exist; then a password that
// is another one is set, after which there is nothing to do.
func TestLogins_Lifecycle(t *testing.T) {
	f, w, v := withLogins(t)
	spec := both("a", "env:A")
	plan := f.plan(spec)
	require.Empty(t, w.take(), "nobody can log in yet")
	require.Len(t, plan.Changes, 2)
	_, err := f.r.Apply(t.Context(), plan)
	require.NoError(t, err)
	require.Equal(t, [][]kmsg.Key{exchange}, w.take(), "the last that was set")

	require.True(t, f.plan(spec).Empty())
	require.Equal(t, [][]kmsg.Key{exchange, exchange}, w.take(), "one connection for each mechanism")

	v["env:A"] = "second"
	plan = f.plan(spec)
	require.Equal(t, [][]kmsg.Key{exchange, exchange}, w.take())
	require.Equal(t, "~ scram-user a SCRAM-SHA-256: another password is stored, password from env:A\n"+
		"~ scram-user a SCRAM-SHA-512: another password is stored, password from env:A\n"+
		"0 to create, 2 to update, 0 to delete\n", plan.String())
	require.Equal(t, Credential{User: "a", Mechanism: ScramSHA256, Iterations: 4096, Login: LoginRefused}, plan.Changes[0].Before)
	require.Equal(t, Credential{User: "a", Mechanism: ScramSHA256, Iterations: 4096, Password: "env:A", Login: LoginAccepted}, plan.Changes[0].After)

	text, err := json.Marshal(plan)
	require.NoError(t, err)
	require.NotContains(t, string(text), "second")
	saved, err := ParsePlan("plan.json", text)
	require.NoError(t, err)
	require.Equal(t, plan, saved)
	report, err := f.r.Apply(t.Context(), saved)
	require.NoError(t, err)
	require.Equal(t, 2, report.Count(holdfast.Applied))
	require.Equal(t, [][]kmsg.Key{exchange, exchange, exchange}, w.take(), "compared with the plan, and the last that was set")
	require.True(t, f.plan(spec).Empty())

	// A resumed plan finds its work done.
	report, err = f.r.Apply(t.Context(), saved)
	require.NoError(t, err)
	require.Equal(t, []string{"unchanged/already-done update scram-user a SCRAM-SHA-256", "unchanged/already-done update scram-user a SCRAM-SHA-512"}, outcomes(report))
	w.take()

	// What is set anyway is not tried, and neither is what has no password.
	spec.Users[0].Iterations = 5000
	require.Len(t, f.plan(spec).Changes, 2)
	spec.Users[0].Iterations, spec.Users[0].Password = 0, ""
	require.True(t, f.plan(spec).Empty())
	spec.Users[0].State = Absent
	require.Len(t, f.plan(spec).Changes, 2)
	require.Empty(t, w.take())
}

// Without Logins nothing is tried and nothing changes.
func TestLogins_AreOptIn(t *testing.T) {
	f, w, v := withLogins(t)
	spec := both("a", "env:A")
	f.apply(spec)
	w.take()
	v["env:A"] = "second"
	plan := f.plan(spec)
	require.Len(t, plan.Changes, 2)
	f.r.Logins = nil
	w.take()
	require.True(t, f.plan(spec).Empty())
	state, err := f.r.Observe(t.Context(), spec)
	require.NoError(t, err)
	require.Nil(t, state.Logins)

	// A plan from a login is not made by somebody who cannot try one.
	report, err := f.r.Apply(t.Context(), plan)
	require.ErrorIs(t, err, errNoLogins)
	require.Equal(t, []string{"not-attempted/unread update scram-user a SCRAM-SHA-256", "not-attempted/unread update scram-user a SCRAM-SHA-512"}, outcomes(report))
	require.ErrorIs(t, report.Outcomes[0].Err, errNoLogins)
	require.Empty(t, w.take())
}

// Whatever is no judgement of the password is neither a change nor in sync.
func TestLogins_Unknown(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*fake, *loginWire, vault)
		want  string
	}{
		"down":          {func(_ *fake, w *loginWire, _ vault) { w.down = errors.New("no route today") }, "no route today"},
		"silence":       {func(f *fake, w *loginWire, _ vault) { w.refuses = false }, "closed the connection without saying why: instead of answering the login"},
		"no mechanism":  {func(f *fake, _ *loginWire, _ vault) { answerHandshake(f, kerr.UnsupportedSaslMechanism) }, "does not enable the SASL mechanism"},
		"no SASL":       {func(f *fake, _ *loginWire, _ vault) { answerHandshake(f, kerr.IllegalSaslState) }, "the port has no SASL"},
		"other failure": {func(f *fake, _ *loginWire, _ vault) { answerLogin(f, kerr.UnknownServerError) }, "UNKNOWN_SERVER_ERROR"},
		"early refusal": {func(f *fake, _ *loginWire, _ vault) { answerLogin(f, kerr.SaslAuthenticationFailed) }, "before it came to the password"},
		"plaintext":     {func(f *fake, _ *loginWire, _ vault) { f.r.Logins.Protocol = dial.Plaintext }, "protocol PLAINTEXT has no SASL"},
		"no secret":     {func(_ *fake, _ *loginWire, v vault) { delete(v, "env:A") }, "password from env:A: no such entry"},
		"bad secret":    {func(_ *fake, _ *loginWire, v vault) { v["env:A"] = "second\n" }, "control character"},
		// The embedded broker names 4096 to whoever logs in.
		"other credential": {func(f *fake, _ *loginWire, _ vault) {
			logins, spec := f.r.Logins, both("a", "env:A")
			f.r.Logins, spec.Users[0].Iterations = nil, 5000
			f.apply(spec)
			f.r.Logins = logins
		}, "knows the credential with 4096 iterations, and it has 5000"},
	} {
		t.Run(name, func(t *testing.T) {
			f, w, v := withLogins(t)
			spec := both("a", "env:A")
			f.apply(spec)
			v["env:A"] = "second"
			stale := f.plan(spec)
			require.Len(t, stale.Changes, 2)
			c.spoil(f, w, v)
			plan := f.plan(spec)
			require.Empty(t, plan.Changes)
			require.False(t, plan.Empty())
			require.Len(t, plan.Unread, 2)
			require.Equal(t, KindScramPassword, plan.Unread[0].Kind)
			require.Equal(t, "a SCRAM-SHA-256", plan.Unread[0].Name)
			require.ErrorContains(t, plan.Unread[0].Err, c.want)
			require.NotContains(t, plan.String(), "second")
			text, err := json.Marshal(plan)
			require.NoError(t, err)
			require.NotContains(t, string(text), "second")
			// A plan of before is not made either, for nobody knows.
			before := f.requests.Load()
			report, err := f.r.Apply(t.Context(), stale)
			require.Error(t, err)
			require.Equal(t, []string{"not-attempted/unread update scram-user a SCRAM-SHA-256", "not-attempted/unread update scram-user a SCRAM-SHA-512"}, outcomes(report))
			require.LessOrEqual(t, f.requests.Load()-before, int64(2), "metadata and users")
		})
	}
}

// answerHandshake answers the handshakes of logins with an error; the client of
// the reconciler has its connections by then.
func answerHandshake(f *fake, err *kerr.Error) {
	f.always(kmsg.SASLHandshake, func(req kmsg.Request) (kmsg.Response, error, bool) {
		if req.(*kmsg.SASLHandshakeRequest).Mechanism == "PLAIN" {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.SASLHandshakeResponse)
		resp.ErrorCode = err.Code
		return resp, nil, true
	})
}

func answerLogin(f *fake, err *kerr.Error) {
	f.always(kmsg.SASLAuthenticate, func(req kmsg.Request) (kmsg.Response, error, bool) {
		if req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes[0] == 0 { // PLAIN
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = err.Code
		return resp, nil, true
	})
}

// A saved plan whose precondition has gone is refused, and nothing is written.
func TestLogins_StalePlan(t *testing.T) {
	f, _, v := withLogins(t)
	spec := both("a", "env:A")
	f.apply(spec)
	v["env:A"] = "second"
	plan := f.plan(spec)
	gone := both("a", "")
	gone.Users[0].Mechanisms, gone.Users[0].State = []ScramMechanism{ScramSHA256}, Absent
	f.apply(gone)
	report, err := f.r.Apply(t.Context(), plan)
	var stale *StaleError
	require.ErrorAs(t, err, &stale)
	require.Equal(t, "no such credential", stale.Changes[0].Found)
	require.Equal(t, 2, report.Count(holdfast.NotAttempted))
}

func TestLogins_Standing(t *testing.T) {
	before := Credential{User: "a", Mechanism: ScramSHA512, Iterations: 5000, Login: LoginRefused}
	after := Credential{User: "a", Mechanism: ScramSHA512, Iterations: 5000, Password: "env:A", Login: LoginAccepted}
	for _, c := range []struct {
		have  int32
		login LoginState
		want  standing
		found string
	}{
		{5000, LoginRefused, isBefore, "iterations 5000, login refused"},
		{5000, LoginAccepted, isAfter, "iterations 5000, login accepted"},
		{6000, LoginAccepted, isOther, "iterations 6000, login accepted"},
		{6000, LoginRefused, isOther, "iterations 6000, login refused"},
	} {
		l := newLive(State{
			Users:  map[string]map[ScramMechanism]int32{"a": {ScramSHA512: c.have}},
			Logins: map[string]map[ScramMechanism]LoginState{"a": {ScramSHA512: c.login}},
		})
		change := Change{holdfast.ActionUpdate, KindScramUser, after.String(), "", before, after}
		got, err := l.compare(change)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
		require.Equal(t, c.found, l.describe(change))
	}
}

// Many logins are a few at a time, and the answers are not mixed up.
func TestLogins_AreBounded(t *testing.T) {
	f, w, v := withLogins(t)
	var spec Spec
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		one := both(name, "env:"+name)
		v["env:"+name] = "pw of " + name
		spec.Users = append(spec.Users, one.Users...)
		spec.Scope.Principals = append(spec.Scope.Principals, one.Scope.Principals...)
	}
	f.apply(spec)
	w.take()
	v["env:c"], v["env:i"] = "other", "other"
	w.gate, w.reach, w.most = make(chan struct{}), 8, 0
	plan := f.plan(spec)
	var names []string
	for _, c := range plan.Changes {
		names = append(names, c.Name)
	}
	require.Equal(t, []string{"c SCRAM-SHA-256", "i SCRAM-SHA-256", "c SCRAM-SHA-512", "i SCRAM-SHA-512"}, names)
	require.Empty(t, plan.Unread)
	conns := w.take()
	require.Len(t, conns, 20)
	require.Equal(t, 8, w.most)
	require.False(t, slices.ContainsFunc(conns, func(keys []kmsg.Key) bool { return !slices.Equal(keys, exchange) }))
}

// An Observe that is called off ends with that, and not with unread passwords.
func TestLogins_Canceled(t *testing.T) {
	f, w, _ := withLogins(t)
	spec := both("a", "env:A")
	f.apply(spec)
	ctx, cancel := context.WithCancel(t.Context())
	w.down = errors.New("down")
	f.r.Logins.Dial = func(context.Context, string, string) (net.Conn, error) {
		cancel()
		return nil, context.Canceled
	}
	_, err := f.r.Observe(ctx, spec)
	require.ErrorIs(t, err, context.Canceled)
}

// The answer to a set password is lost: a login tells whether it was set.
func TestLogins_LostAnswer(t *testing.T) {
	f, _, v := withLogins(t)
	spec := both("a", "env:A")
	spec.Users[0].Mechanisms = []ScramMechanism{ScramSHA512}
	f.apply(spec)
	v["env:A"] = "second"
	sent := 0
	f.always(kmsg.AlterUserSCRAMCredentials, func(kmsg.Request) (kmsg.Response, error, bool) {
		if sent++; sent == 1 {
			return nil, errors.New("hang up"), true
		}
		return nil, nil, false
	})
	report, err := f.r.Apply(t.Context(), f.plan(spec))
	require.NoError(t, err)
	require.Equal(t, []string{"applied update scram-user a SCRAM-SHA-512"}, outcomes(report))
	require.Equal(t, 2, sent, "the first was not made, which a login showed")
	require.True(t, f.plan(spec).Empty())
}

func TestParsePlan_RejectsLogins(t *testing.T) {
	const head = `{"plan":"kafkasec","version":1,"cluster":"c","observed":"","changes":[`
	const update = `{"action":"update","kind":"scram-user","name":"a SCRAM-SHA-512","reason":"","before":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"login":"refused"},"after":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"password":"env:A","login":"accepted"}}`
	_, err := ParsePlan("plan.json", []byte(head+update+"]}"))
	require.NoError(t, err)
	for name, bad := range map[string]string{
		"only before": `{"action":"update","kind":"scram-user","name":"a SCRAM-SHA-512","reason":"","before":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"login":"refused"},"after":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4097,"password":"env:A"}}`,
		"only after":  `{"action":"update","kind":"scram-user","name":"a SCRAM-SHA-512","reason":"","before":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096},"after":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4097,"password":"env:A","login":"accepted"}}`,
		"delete":      `{"action":"delete","kind":"scram-user","name":"a SCRAM-SHA-512","reason":"","before":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"login":"refused"},"after":null}`,
		"create":      `{"action":"create","kind":"scram-user","name":"a SCRAM-SHA-512","reason":"","before":null,"after":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"password":"env:A","login":"accepted"}}`,
		"other words": `{"action":"update","kind":"scram-user","name":"a SCRAM-SHA-512","reason":"","before":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"login":"unknown"},"after":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"password":"env:A","login":"accepted"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePlan("plan.json", []byte(head+bad+"]}"))
			require.ErrorContains(t, err, "login must be refused before and accepted after an update, or stand in neither")
		})
	}
}
