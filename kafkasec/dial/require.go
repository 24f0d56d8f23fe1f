package dial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Need is a request that a caller is going to send, and the lowest version of
// it that does the job.
type Need struct {
	Key     kmsg.Key
	Version int16
}

// TooOldError says that a broker does not have what is needed.
type TooOldError struct {
	Need Need
	// Since is the first Kafka release that has it, "2.3"; empty where no known
	// one has.
	Since string
	// Broker is about the release of the broker, "2.2", by what it offers; empty
	// where that cannot be told. Good for a message, not for a decision.
	Broker string
}

// Error says what is missing and who has it: "needs IncrementalAlterConfigs,
// Kafka 2.3 or newer; this broker is about 2.2".
func (e *TooOldError) Error() string {
	s := "needs " + e.Need.Key.Name()
	if e.Need.Version > 0 {
		s += fmt.Sprintf(" version %d", e.Need.Version)
	}
	if e.Since != "" {
		s += ", Kafka " + e.Since + " or newer"
	}
	if e.Broker != "" {
		s += "; this broker is about " + e.Broker
	}
	return s
}

// Require asks one broker which requests it knows, and returns a [*TooOldError]
// for each need that is not met, joined. It goes by what the broker offers, and
// not by a guess of its release. A kgo.Client or one of its brokers can be asked.
func Require(ctx context.Context, cl kmsg.Requestor, needs ...Need) error {
	resp, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("ask which requests the broker knows: %w", Explain(err))
	}
	offers := make(map[int16]kmsg.ApiVersionsResponseApiKey, len(resp.ApiKeys))
	for _, k := range resp.ApiKeys {
		offers[k.ApiKey] = k
	}
	var errs []error
	for _, need := range needs {
		if offer, ok := offers[need.Key.Int16()]; !ok || offer.MaxVersion < need.Version {
			errs = append(errs, &TooOldError{Need: need, Since: since(need), Broker: about(resp.ApiKeys)})
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// releases are Kafka's, from old to new, as franz-go's tables know them.
func releases() []string {
	all := kversion.VersionStrings()
	slices.Reverse(all)
	return all
}

// since is the first release that has what is needed.
func since(need Need) string {
	for _, name := range releases() {
		if v, ok := kversion.FromString(name).LookupMaxKeyVersion(need.Key.Int16()); ok && v >= need.Version {
			return strings.TrimPrefix(name, "v")
		}
	}
	return ""
}

// about is the first release that has all the versions which the broker offers.
// Keys that a release lacks do not count: the tables of ZooKeeper's time do not
// have those of KRaft.
func about(offers []kmsg.ApiVersionsResponseApiKey) string {
	for _, name := range releases() {
		table := kversion.FromString(name)
		newer := func(k kmsg.ApiVersionsResponseApiKey) bool {
			v, ok := table.LookupMaxKeyVersion(k.ApiKey)
			return ok && k.MaxVersion > v
		}
		if !slices.ContainsFunc(offers, newer) {
			return strings.TrimPrefix(name, "v")
		}
	}
	return ""
}
