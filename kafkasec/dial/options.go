package dial

import (
	"cmp"
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Options gives the franz-go options for c, for a caller who makes the client
// himself: options of his own may follow them. It neither connects nor waits.
func (c Config) Options() ([]kgo.Opt, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c.options(dialer{cfg: c, limit: c.attempt(), seen: &witness{stopped: true}}), nil
}

// attempt is the part of the timeout that the connection itself may take. The
// rest is for a second look at the port that explains a failure.
func (c Config) attempt() time.Duration { return c.timeout() * 7 / 10 }

func (c Config) options(d dialer) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.addrs()...),
		kgo.ClientID(cmp.Or(c.ClientID, "holdfast")),
		kgo.Dialer(d.dial),
		kgo.RequestTimeoutOverhead(cmp.Or(c.RequestTimeout, 30*time.Second)),
		// Administration looks at what it has just changed: kgo's metadata cache
		// of 5 s would show the state before. 10 ms is the least that kgo allows.
		kgo.MetadataMinAge(10 * time.Millisecond),
		// kgo would try 20 times with a pause of up to 5 s each. A caller that
		// writes has to know soon whether a broker is gone.
		kgo.RequestRetries(5),
		kgo.RetryTimeout(cmp.Or(c.RequestTimeout, 30*time.Second)),
		// Client metrics (KIP-714) are pushed by a goroutine of their own, and
		// need nothing that this client does.
		kgo.DisableClientMetrics(),
	}
	if m := c.sasl(); m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	return opts
}

// addrs are the brokers as kgo takes them. Validate has checked them.
func (c Config) addrs() []string {
	addrs := make([]string, len(c.Brokers))
	for i, b := range c.Brokers {
		addrs[i], _ = brokerAddr(b)
	}
	return addrs
}

// sasl gives the mechanism, or nil without SASL. The password is revealed each
// time a connection logs in, not held in an option that can be printed.
func (c Config) sasl() sasl.Mechanism {
	if !c.Protocol.sasl() {
		return nil
	}
	scramAuth := func(context.Context) (scram.Auth, error) {
		return scram.Auth{User: c.Username, Pass: c.Password.Reveal(), IsToken: c.DelegationToken}, nil
	}
	switch c.Mechanism {
	case Plain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			return plain.Auth{User: c.Username, Pass: c.Password.Reveal()}, nil
		})
	case ScramSHA256:
		return scramMechanism{scram.Sha256(scramAuth)}
	case ScramSHA512:
		return scramMechanism{scram.Sha512(scramAuth)}
	case OAuthBearer:
		// Less than an attempt, so that it is the token endpoint that is blamed for
		// its silence, by name.
		return newOAuth(c.OAuth, c.timeout()/2)
	}
	return nil
}
