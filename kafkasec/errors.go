package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	// ErrOtherCluster: the plan was made for another cluster. Nothing was written.
	ErrOtherCluster = errors.New("the plan was made for another cluster")
	// ErrNotVisible: what the report says was written, but not every broker was
	// seen to know it within Reconciler.VisibleFor, or before the context ended.
	// An Observe may still see the state of before. A change that was looked for
	// all that time and never seen has failed with it: brokers that lag and a rival
	// who put back what was before look the same.
	ErrNotVisible = errors.New("written, but not yet visible on every broker")
	// ErrOverwritten: a change was written, and when it was looked at, there was
	// something else, although the brokers knew by then what had been written. A
	// fresh plan says whether it is still to be made. A new password for a SCRAM
	// user is the exception: brokers show no difference between two of them.
	ErrOverwritten = errors.New("written, and then overwritten by somebody else")
)

// BrokerError is an answer with an error code. errors.Is finds the kerr value
// of the code: errors.Is(err, kerr.PolicyViolation).
type BrokerError struct {
	Code int16
	// Message is the broker's own text, often empty.
	Message string
	// Needs is the right that the request takes: "Describe on the topic".
	Needs string
}

// Error gives the code's name and the broker's text, "POLICY_VIOLATION: ...". Of
// a denial it gives the right that is missing instead, because the text of a
// Java broker is a dump of the whole request there, different each time.
func (e *BrokerError) Error() string {
	var k *kerr.Error
	if !errors.As(kerr.ErrorForCode(e.Code), &k) || k.Code != e.Code {
		return fmt.Sprintf("error code %d: %s", e.Code, e.Message)
	}
	switch {
	case strings.HasSuffix(k.Message, "_AUTHORIZATION_FAILED"):
		if e.Needs == "" {
			return k.Message
		}
		return k.Message + ": needs " + e.Needs
	case e.Message == "":
		return k.Message + ": " + strings.TrimSuffix(k.Description, ".")
	}
	return k.Message + ": " + e.Message
}

// Unwrap returns the kerr value of the code.
func (e *BrokerError) Unwrap() error { return kerr.ErrorForCode(e.Code) }

// brokerError turns a code into an error, nil for 0. A denial names what the
// request needs.
func brokerError(code int16, message *string, needs string) error {
	if code == 0 {
		return nil
	}
	e := &BrokerError{Code: code, Needs: needs}
	if message != nil {
		e.Message = *message
	}
	return e
}

// StaleError says that the cluster has moved since the plan was made: for each
// of these changes neither what was planned from nor the wanted result holds.
// Nothing was written.
type StaleError struct {
	Changes []StaleChange
}

// StaleChange is one change that no longer fits.
type StaleChange struct {
	Change Change
	// Found says what holds now.
	Found string
}

// Error names every change that no longer fits, a line each.
func (e *StaleError) Error() string {
	var b strings.Builder
	b.WriteString("the cluster has changed since the plan was made; plan again")
	for _, c := range e.Changes {
		fmt.Fprintf(&b, "\n%s %s %s: found %s", c.Change.Action, c.Change.Kind, c.Change.Name, c.Found)
	}
	return b.String()
}

// permanent reports whether trying the same request again cannot help: the
// client is closed, the credentials or the certificate are refused, the broker
// does not know the request.
func permanent(err error) bool {
	var k *kerr.Error
	if errors.As(err, &k) {
		return !k.Retriable
	}
	return errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, context.Canceled)
}

// errNothingSent goes with a look before a write that did not succeed.
var errNothingSent = errors.New("look before the write")

var errNoController = errors.New("the cluster has no controller at the moment")

// neverSent reports whether the request surely did not reach a broker: there
// was none, or it was not reached, or it refused the connection. A client that
// is closed, or a context that ends, may do so after the request went out.
func neverSent(err error) bool {
	var k *kerr.Error
	if errors.As(err, &k) {
		return !k.Retriable
	}
	var op *net.OpError
	return errors.Is(err, errNothingSent) || errors.Is(err, errNoController) || errors.As(err, &op) && op.Op == "dial"
}
