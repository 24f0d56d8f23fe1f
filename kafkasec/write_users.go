package kafkasec

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxCredentials bounds one request, more for the time that salting takes
// before it than for its size: 500 times 16384 iterations are seconds.
const maxCredentials = 500

// writerFor adds to writers what this Apply has resolved or seen.
func (a *applier) writerFor(st stage) writer {
	switch st {
	case stageScram256, stageScram512:
		return writer{"set scram credentials", maxCredentials, one, nil, a.upsertCredentials}
	case stageRevoke, stageUndeny:
		w := writerFor(st)
		w.limit = deleteFilters(a.bindings)
		return w
	}
	return writerFor(st)
}

// upsertCredentials sends the credentials of one mechanism. KRaft refuses a
// request that names a user twice, also with two mechanisms (DUPLICATE_RESOURCE,
// ScramControlManager), so that each mechanism is a stage.
func (a *applier) upsertCredentials(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	creds := make([]Credential, len(changes))
	for i, c := range changes {
		creds[i] = c.credential()
	}
	keys, err := a.salt(ctx, creds)
	if err != nil {
		return failAll(changes, err), nil
	}
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	for i, c := range creds {
		u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
		u.Name, u.Mechanism, u.Iterations = c.User, c.Mechanism.wire(), c.Iterations
		u.Salt, u.SaltedPassword = keys[i].salt, keys[i].password
		req.Upsertions = append(req.Upsertions, u)
	}
	return alterCredentials(ctx, r, controller, req, changes)
}

// failAll answers every item with the error: nothing was sent.
func failAll(changes []Change, err error) answers {
	var ans answers
	for range changes {
		ans.items = append(ans.items, answer{err: err})
	}
	return ans
}

func deleteCredentials(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	for _, c := range changes {
		d := kmsg.NewAlterUserSCRAMCredentialsRequestDeletion()
		d.Name, d.Mechanism = c.credential().User, c.credential().Mechanism.wire()
		req.Deletions = append(req.Deletions, d)
	}
	return alterCredentials(ctx, r, controller, req, changes)
}

func alterCredentials(ctx context.Context, r *Reconciler, controller int32, req *kmsg.AlterUserSCRAMCredentialsRequest, changes []Change) (answers, error) {
	kresp, err := r.ask(ctx, controller, req)
	if err != nil {
		return answers{}, err
	}
	resp := kresp.(*kmsg.AlterUserSCRAMCredentialsResponse)
	got := make(map[string]answer, len(resp.Results))
	for _, res := range resp.Results {
		a := answer{err: brokerError(res.ErrorCode, res.ErrorMessage, "Alter on the cluster")}
		if len(req.Deletions) > 0 && errors.Is(a.err, kerr.ResourceNotFound) {
			a = answer{gone: true}
		}
		got[res.User] = a
	}
	ans := answers{throttle: time.Duration(resp.ThrottleMillis) * time.Millisecond}
	for _, c := range changes {
		a, ok := got[c.credential().User]
		if !ok {
			return answers{}, errors.New("the broker left user " + word(c.credential().User) + " out of its answer")
		}
		ans.items = append(ans.items, a)
	}
	return ans, nil
}
