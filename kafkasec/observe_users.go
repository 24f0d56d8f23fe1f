package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// readUsers asks for the named users only, unless names is nil: who else can log
// in is not shown to a spec that does not own them.
func (r *Reconciler) readUsers(ctx context.Context, names []string, state *State) error {
	req := usersRequest(names)
	resp, err := req.RequestWith(ctx, r.anyBroker())
	if err == nil && names == nil && resp.ErrorCode == 0 && len(resp.Results) == 0 {
		// Whoever takes an empty list at its word is asked as the protocol also has it.
		req.Users = nil
		resp, err = req.RequestWith(ctx, r.anyBroker())
	}
	if err != nil {
		return fmt.Errorf("read scram users: %w", err)
	}
	state.setUsers(resp, names)
	return nil
}

// usersRequest asks for the named users; without any, brokers show all (KIP-554),
// also for an empty list. Null would say the same, but to somebody who may not see
// them brokers answer null by closing the connection (getErrorResponse of
// DescribeUserScramCredentialsRequest walks it, 3.9 and 4.4).
func usersRequest(names []string) *kmsg.DescribeUserSCRAMCredentialsRequest {
	req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	req.Users = []kmsg.DescribeUserSCRAMCredentialsRequestUser{}
	for _, n := range names {
		u := kmsg.NewDescribeUserSCRAMCredentialsRequestUser()
		u.Name = n
		req.Users = append(req.Users, u)
	}
	return req
}

func (s *State) setUsers(resp *kmsg.DescribeUserSCRAMCredentialsResponse, names []string) {
	unread := func(name string, err error) {
		s.Unread = append(s.Unread, Unread{KindScramUser, name, fmt.Errorf("describe scram credentials: %w", err)})
	}
	const needs = "Describe on the cluster"
	if err := brokerError(resp.ErrorCode, resp.ErrorMessage, needs); err != nil {
		unread("*", err)
		return
	}
	answered := map[string]bool{}
	for _, res := range resp.Results {
		answered[res.User] = true
		err := brokerError(res.ErrorCode, res.ErrorMessage, needs)
		switch {
		case errors.Is(err, kerr.ResourceNotFound):
			continue
		case err != nil:
			unread(res.User, err)
			continue
		}
		have := map[ScramMechanism]int32{}
		for _, info := range res.CredentialInfos {
			have[mechanismFromWire(info.Mechanism)] = info.Iterations
		}
		if s.Users == nil {
			s.Users = map[string]map[ScramMechanism]int32{}
		}
		s.Users[res.User] = have
	}
	for _, n := range names {
		if !answered[n] {
			unread(n, errors.New("the broker left the user out of its answer"))
		}
	}
}

// visibleUser asks one broker for the user of the change.
func (r *Reconciler) visibleUser(ctx context.Context, broker int32, c Change, state *State) error {
	names := []string{c.credential().User}
	kresp, err := r.ask(ctx, broker, usersRequest(names))
	if err != nil {
		return err
	}
	state.setUsers(kresp.(*kmsg.DescribeUserSCRAMCredentialsResponse), names)
	return nil
}

// distinct sorts the names and drops repetitions.
func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
