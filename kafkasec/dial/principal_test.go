package dial

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfig_Principal(t *testing.T) {
	for name, test := range map[string]struct {
		cfg       Config
		want, err string
	}{
		"plaintext":        {Config{}, "User:ANONYMOUS", ""},
		"tls":              {Config{Protocol: SSL, TLS: &tls.Config{}}, "User:ANONYMOUS", ""},
		"certificate":      {Config{Protocol: SSL, TLS: &tls.Config{Certificates: make([]tls.Certificate, 1)}}, "", "of a certificate by rules"},
		"scram":            {Config{Protocol: SASLPlaintext, Mechanism: ScramSHA512, Username: "a"}, "User:a", ""},
		"plain and tls":    {Config{Protocol: SASLSSL, Mechanism: Plain, Username: "a", TLS: &tls.Config{Certificates: make([]tls.Certificate, 1)}}, "User:a", ""},
		"no name":          {Config{Protocol: SASLSSL, Mechanism: Plain}, "", "PLAIN have no user name"},
		"token":            {Config{Protocol: SASLPlaintext, Mechanism: ScramSHA256, Username: "id", DelegationToken: true}, "", "its owner"},
		"oauth with names": {Config{Protocol: SASLSSL, Mechanism: OAuthBearer, Username: "a"}, "", "in its token"},
	} {
		got, err := test.cfg.Principal()
		require.Equal(t, test.want, got, name)
		if test.err == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, test.err, name)
		}
	}
}
