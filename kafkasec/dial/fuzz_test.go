package dial

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

func FuzzParseProperties(f *testing.F) {
	for _, seed := range []string{
		"", "bootstrap.servers=a:1,b:2\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n" + scramLogin,
		"security.protocol=SSL\nssl.truststore.location=x\nssl.keystore.location=y\nssl.key.password=z\n",
		"security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.key=-----BEGIN PRIVATE KEY-----\nssl.keystore.certificate.chain=x\n",
		"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=http://x\n" +
			"sasl.jaas.config=x.OAuthBearerLoginModule required clientId=a clientSecret=b ssl.protocol=c;\n",
		"client.id=${file:a:b}${:}${x\nconfig.providers=file\n", "ssl.enabled.protocols=TLSv1.3,\nssl.cipher.suites=,\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opts := ParseOptions{
			ReadFile: func(name string) ([]byte, error) { return []byte(name), nil },
			Resolve:  func(_ context.Context, ref string) (holdfast.Secret, error) { return holdfast.NewSecret(ref), nil },
		}
		cfg, err := ParseProperties(context.Background(), "f", data, opts)
		if err != nil {
			var ps holdfast.Problems
			require.True(t, errors.As(err, &ps), "%T", err)
			for _, p := range ps {
				require.Equal(t, "f", p.Source)
			}
			return
		}
		for _, i := range cfg.Ignored {
			require.Positive(t, i.Line)
			require.NotEmpty(t, i.Reason)
		}
		// What parses is complete but for the brokers.
		if len(cfg.Brokers) == 0 {
			cfg.Brokers = []string{"x:1"}
		}
		_, err = cfg.Options()
		require.NoError(t, err)
	})
}
