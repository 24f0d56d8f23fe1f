package dial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/sasl"
)

// maxScramIterations bounds the work that a broker may ask of this client. It
// is the server who names the number (RFC 5802 §5.1), before it has proved
// anything, and kgo's computation can be neither cancelled nor outlived: at
// 2^31 it is an hour of CPU behind a Connect that has returned. Kafka takes no
// more than 16384 (ScramMechanism, 2.7 and newer); older releases had no limit.
const maxScramIterations = 1_000_000

// scramMechanism guards a SCRAM mechanism of kgo, which knows the lower limit.
type scramMechanism struct{ sasl.Mechanism }

func (m scramMechanism) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	s, first, err := m.Mechanism.Authenticate(ctx, host)
	return scramSession{s}, first, err
}

type scramSession struct{ sasl.Session }

func (s scramSession) Challenge(answer []byte) (bool, []byte, error) {
	for _, attr := range bytes.Split(answer, []byte(",")) {
		text, found := bytes.CutPrefix(attr, []byte("i="))
		if n, err := strconv.Atoi(string(text)); found && err == nil && n > maxScramIterations {
			return false, nil, fmt.Errorf("the broker asks for %d SCRAM iterations; at most %d are done", n, maxScramIterations)
		}
	}
	done, reply, err := s.Session.Challenge(answer)
	if err != nil && bytes.HasPrefix(answer, []byte("v=")) {
		// kgo's error holds the signature that it expected, which is made from the
		// password.
		err = errors.New("the broker did not prove that it knows the password; it may be another than it says")
	}
	return done, reply, err
}
