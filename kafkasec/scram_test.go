package kafkasec

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"hash"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

// The exchange of RFC 7677 §3, computed from our salted password: client proof
// and server signature are those of the RFC.
func TestSaltPassword_RFC7677(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	require.NoError(t, err)
	key, err := saltPassword(ScramSHA256, holdfast.NewSecret("pencil"), salt, 4096)
	require.NoError(t, err)
	const authMessage = "n=user,r=rOprNGfwEbeRWgbNEkqO," +
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	mac := func(key []byte, text string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	proof := mac(key, "Client Key")
	stored := sha256.Sum256(proof)
	for i, b := range mac(stored[:], authMessage) {
		proof[i] ^= b
	}
	require.Equal(t, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", base64.StdEncoding.EncodeToString(proof))
	require.Equal(t, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		base64.StdEncoding.EncodeToString(mac(mac(key, "Server Key"), authMessage)))
}

// hi is Hi() of RFC 5802 §2.2, word for word.
func hi(h func() hash.Hash, password, salt []byte, iterations int) []byte {
	mac := hmac.New(h, password)
	mac.Write(salt)
	mac.Write([]byte{0, 0, 0, 1})
	u := mac.Sum(nil)
	out := bytes.Clone(u)
	for range iterations - 1 {
		mac.Reset()
		mac.Write(u)
		u = mac.Sum(nil)
		for i := range out {
			out[i] ^= u[i]
		}
	}
	return out
}

// counter is a source whose bytes are 0, 1, 2, …
type counter struct{ n byte }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = c.n
		c.n++
	}
	return len(p), nil
}

// What goes over the wire: the salts in plan order, Hi of the UTF-8 password,
// one request for each mechanism, and nowhere the password.
func TestApply_CredentialsOnTheWire(t *testing.T) {
	f := newFake(t)
	var sent []*kmsg.AlterUserSCRAMCredentialsRequest
	f.always(kmsg.AlterUserSCRAMCredentials, func(req kmsg.Request) (kmsg.Response, error, bool) {
		sent = append(sent, req.(*kmsg.AlterUserSCRAMCredentialsRequest))
		return nil, nil, false
	})
	f.r.Rand = new(counter)
	f.r.Resolve = resolver(map[string]string{"env:A": "grüße ", "env:B": "b"})
	spec := Spec{Scope: Scope{Principals: []string{"User:a", "User:b"}}, Users: []User{
		{Name: "b", Mechanisms: []ScramMechanism{ScramSHA512}, Iterations: 16384, Password: "env:B"},
		{Name: "a", Mechanisms: []ScramMechanism{ScramSHA512, ScramSHA256}, Password: "env:A"},
	}}
	require.Equal(t, 3, f.apply(spec).Count(holdfast.Applied))
	salt := func(i int) []byte {
		s := make([]byte, saltBytes)
		for j := range s {
			s[j] = byte(i*saltBytes + j)
		}
		return s
	}
	up := func(name string, mechanism int8, iterations int32, salt, key []byte) kmsg.AlterUserSCRAMCredentialsRequestUpsertion {
		u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
		u.Name, u.Mechanism, u.Iterations, u.Salt, u.SaltedPassword = name, mechanism, iterations, salt, key
		return u
	}
	require.Len(t, sent, 2)
	require.Equal(t, []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{
		up("a", 1, 4096, salt(0), hi(sha256.New, []byte("grüße "), salt(0), 4096)),
	}, sent[0].Upsertions)
	require.Equal(t, []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{
		up("a", 2, 4096, salt(1), hi(sha512.New, []byte("grüße "), salt(1), 4096)),
		up("b", 2, 16384, salt(2), hi(sha512.New, []byte("b"), salt(2), 16384)),
	}, sent[1].Upsertions)
	require.True(t, f.plan(spec).Empty())
}

// resolver answers from a table.
func resolver(secrets map[string]string) func(context.Context, string) (holdfast.Secret, error) {
	return func(_ context.Context, ref string) (holdfast.Secret, error) {
		s, ok := secrets[ref]
		if !ok {
			return holdfast.Secret{}, errors.New("nobody knows it")
		}
		return holdfast.NewSecret(s), nil
	}
}

// One password that cannot be had, or used, does not hide the others, and no
// message shows it.
func TestApply_PasswordsThatCannotBeHad(t *testing.T) {
	f := newFake(t)
	spec := Spec{Scope: Scope{Principals: []string{"User:a", "User:b", "User:c", "User:d", "User:e"}}}
	for _, n := range []string{"a", "b", "c", "d", "e"} {
		spec.Users = append(spec.Users, User{Name: n, Mechanisms: []ScramMechanism{ScramSHA512}, Password: "env:" + n})
	}
	plan := f.plan(spec)
	f.r.Resolve = resolver(map[string]string{"env:a": "", "env:b": "c4n4ry\n", "env:c": "\xffc4n4ry", "env:d": "good"})
	report, err := f.r.Apply(t.Context(), plan)
	require.EqualError(t, err, `apply: create scram-user "a SCRAM-SHA-512": password from env:a: it is empty
create scram-user "b SCRAM-SHA-512": password from env:b: it holds a control character, such as the line break at the end of a file
create scram-user "c SCRAM-SHA-512": password from env:c: it is not UTF-8
create scram-user "e SCRAM-SHA-512": password from env:e: nobody knows it`)
	require.Equal(t, []string{
		"failed create scram-user a SCRAM-SHA-512",
		"failed create scram-user b SCRAM-SHA-512",
		"failed create scram-user c SCRAM-SHA-512",
		"applied create scram-user d SCRAM-SHA-512",
		"failed create scram-user e SCRAM-SHA-512",
	}, outcomes(report))

	f.r.Resolve = nil
	_, err = f.r.Apply(t.Context(), plan)
	require.ErrorIs(t, err, errNoResolver)

	f.r.Resolve = func(context.Context, string) (holdfast.Secret, error) { return holdfast.NewSecret("x"), nil }
	f.r.Rand = bytes.NewReader(nil)
	report, err = f.r.Apply(t.Context(), plan)
	require.ErrorContains(t, err, "draw a salt: EOF")
	require.Equal(t, 4, report.Count(holdfast.Failed))
}

// A secret is asked for once, however many credentials are made from it, and
// only by Apply.
func TestApply_AsksOncePerReference(t *testing.T) {
	f := newFake(t)
	asked := 0
	f.r.Resolve = func(_ context.Context, ref string) (holdfast.Secret, error) {
		asked++
		return holdfast.NewSecret(ref), nil
	}
	spec := Spec{Scope: Scope{Principals: []string{"User:a", "User:b"}}, Users: []User{
		{Name: "a", Mechanisms: []ScramMechanism{ScramSHA256, ScramSHA512}, Password: "env:X"},
		{Name: "b", Mechanisms: []ScramMechanism{ScramSHA256, ScramSHA512}, Password: "env:X"},
	}}
	plan := f.plan(spec)
	require.Zero(t, asked)
	_, err := f.r.Apply(t.Context(), plan)
	require.NoError(t, err)
	require.Equal(t, 1, asked)
	_, err = f.r.Apply(t.Context(), plan) // resumed: nothing is left
	require.NoError(t, err)
	require.Equal(t, 1, asked)
}
