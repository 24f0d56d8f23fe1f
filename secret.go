package holdfast

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// masked is what every output shows in place of a secret.
const masked = "[secret]"

// Secret carries a password, key or token to the one line that hands it to the
// wire. No fmt verb, encoder, logger or panic prints what it holds, also not
// where it sits in an unexported field, because the value lives in a closure
// and not in a field that reflection could read.
//
// The zero Secret holds nothing: [Secret.IsZero] reports true and
// [Secret.Reveal] returns "". A Secret may be copied and used concurrently.
type Secret struct {
	reveal func() string
}

// NewSecret wraps value. An empty value gives a Secret that is set but empty,
// which is different from the zero Secret: a keystore may well have an empty
// password.
func NewSecret(value string) Secret {
	return Secret{reveal: func() string { return value }}
}

// Reveal returns the value. Call it only on the line that hands the value to
// the wire, a hash or a key derivation.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether no value was ever set.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal reports whether both hold the same value, in time that does not depend
// on where they differ. Two zero Secrets are equal; a zero one never equals a
// set one. It also makes cmp.Equal work on structs that hold secrets.
func (s Secret) Equal(other Secret) bool {
	if s.IsZero() || other.IsZero() {
		return s.IsZero() && other.IsZero()
	}
	a, b := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String returns a mask, never the value.
func (s Secret) String() string { return masked }

// GoString returns a mask, never the value.
func (s Secret) GoString() string { return "holdfast.Secret{" + masked + "}" }

// Format prints the mask for every verb and flag, so that %d, %x and %q do not
// fall back to printing fields.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'v' && f.Flag('#') {
		text = s.GoString()
	}
	_, _ = io.WriteString(f, text)
}

// MarshalText writes the mask. It serves JSON (also as a map key), XML and
// every other encoder that knows encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalJSON writes the mask.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// UnmarshalText refuses every text. A document holds a reference to a secret,
// never the secret; and without this method an encoder that finds text where it
// wants a struct may quote the text in its error, as go.yaml.in/yaml/v4 does.
func (s *Secret) UnmarshalText([]byte) error { return errNotFromText }

var errNotFromText = errors.New("a secret cannot be read from a document: write a reference to it there")

// MarshalYAML writes the mask.
func (s Secret) MarshalYAML() (any, error) { return masked, nil }

// GobEncode writes the mask.
func (s Secret) GobEncode() ([]byte, error) { return []byte(masked), nil }

// LogValue gives slog the mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }
