package dial

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/holdfast-sec/holdfast"
)

func TestUsername(t *testing.T) {
	const odd = "a,b=c\x01ü =2C"
	configured := func(m Mechanism, token bool) []kgo.Opt {
		opts, err := Config{Brokers: []string{"localhost:1"}, Protocol: SASLPlaintext, Mechanism: m, Username: odd,
			Password: holdfast.NewSecret("pw"), DelegationToken: token}.Options()
		require.NoError(t, err)
		return opts
	}
	refused := errors.New("vault is sealed")
	for name, c := range map[string]struct {
		opts      []kgo.Opt
		mechanism Mechanism
		name      string
		err       error
	}{
		"plain":            {configured(Plain, false), Plain, odd, nil},
		"scram 256":        {configured(ScramSHA256, false), ScramSHA256, odd, nil},
		"scram 512":        {configured(ScramSHA512, false), ScramSHA512, odd, nil},
		"a token":          {configured(ScramSHA512, true), "", "", nil},
		"nobody":           {nil, "", "", nil},
		"franz-go alone":   {[]kgo.Opt{kgo.SASL(plain.Auth{Zid: "z", User: "u", Pass: "p\x00q"}.AsMechanism())}, Plain, "u", nil},
		"for another":      {[]kgo.Opt{kgo.SASL(scram.Auth{Zid: "z", User: "u", Pass: "p"}.AsSha256Mechanism())}, ScramSHA256, "u", nil},
		"the first of two": {[]kgo.Opt{kgo.SASL(scram.Auth{User: "u", Pass: "p"}.AsSha256Mechanism(), plain.Auth{User: "v", Pass: "p"}.AsMechanism())}, ScramSHA256, "u", nil},
		"no answer":        {[]kgo.Opt{kgo.SASL(plain.Plain(func(context.Context) (plain.Auth, error) { return plain.Auth{}, refused }))}, "", "", refused},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := kgo.NewClient(c.opts...)
			require.NoError(t, err)
			defer client.Close()
			mechanism, user, err := Username(t.Context(), client)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.mechanism, mechanism)
			require.Equal(t, c.name, user)
		})
	}
}
