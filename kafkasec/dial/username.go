package dial

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
)

// Username returns the user name that a client logs in with, and the mechanism.
// Both are empty where the client alone cannot tell: with certificates and
// tokens, also delegation tokens, brokers decide who it is, and the protocol has
// no request that asks. Nothing is sent.
func Username(ctx context.Context, client *kgo.Client) (mechanism Mechanism, name string, err error) {
	mechanisms, _ := client.OptValue(kgo.SASL).([]sasl.Mechanism)
	for _, m := range mechanisms { // the client takes the first that the broker has
		if !slices.Contains([]Mechanism{Plain, ScramSHA256, ScramSHA512}, Mechanism(m.Name())) {
			continue
		}
		_, first, err := m.Authenticate(ctx, "")
		if err != nil {
			return "", "", fmt.Errorf("user name of the client: %w", err)
		}
		if m.Name() == string(Plain) {
			name = plainUser(first)
		} else {
			name = scramUser(string(first))
		}
		if name != "" {
			return Mechanism(m.Name()), name, nil
		}
	}
	return "", "", nil
}

// plainUser reads the message of RFC 4616: authzid NUL authcid NUL passwd.
func plainUser(message []byte) string {
	parts := bytes.SplitN(message, []byte{0}, 3)
	if len(parts) != 3 {
		return ""
	}
	return string(parts[1])
}

// scramUser reads the client's first message of RFC 5802: "n,,n=user,r=nonce".
// With tokenauth=true (KIP-48) it names a token, not a user.
func scramUser(message string) string {
	parts := strings.Split(message, ",")
	if len(parts) < 4 || slices.Contains(parts, "tokenauth=true") {
		return ""
	}
	name, ok := strings.CutPrefix(parts[2], "n=")
	if !ok {
		return ""
	}
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(name)
}
