package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func createACLs(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	req := kmsg.NewPtrCreateACLsRequest()
	req.Creations = make([]kmsg.CreateACLsRequestCreation, len(changes))
	for i, c := range changes {
		b := c.binding()
		cr := kmsg.NewCreateACLsRequestCreation()
		cr.ResourceType, cr.ResourcePatternType = b.Resource.wire()
		cr.ResourceName, cr.Principal, cr.Host = b.Resource.Name, b.Principal, b.Host
		cr.Operation, cr.PermissionType = b.Operation.wire(), b.Permission.wire()
		req.Creations[i] = cr
	}
	kresp, err := r.ask(ctx, controller, req)
	if err != nil {
		return answers{}, err
	}
	resp := kresp.(*kmsg.CreateACLsResponse)
	ans := answers{throttle: time.Duration(resp.ThrottleMillis) * time.Millisecond}
	for _, res := range resp.Results {
		ans.items = append(ans.items, answer{err: brokerError(res.ErrorCode, res.ErrorMessage, "Alter on the cluster")})
	}
	return ans, nil
}

// deleteACLs names each binding in full, so that a filter can match nothing
// else, and still looks at what the broker says that it deleted.
func deleteACLs(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	req := kmsg.NewPtrDeleteACLsRequest()
	req.Filters = make([]kmsg.DeleteACLsRequestFilter, len(changes))
	for i, c := range changes {
		req.Filters[i] = bindingFilter(c.binding()).wire()
	}
	kresp, err := r.ask(ctx, controller, req)
	if err != nil {
		return answers{}, err
	}
	resp := kresp.(*kmsg.DeleteACLsResponse)
	ans := answers{throttle: time.Duration(resp.ThrottleMillis) * time.Millisecond}
	for i, res := range resp.Results {
		a := answer{err: brokerError(res.ErrorCode, res.ErrorMessage, "Alter on the cluster"), gone: len(res.MatchingACLs) == 0}
		for _, m := range res.MatchingACLs {
			if a.err == nil {
				a.err = brokerError(m.ErrorCode, m.ErrorMessage, "Alter on the cluster")
			}
			got := bindingFromWire(m.ResourceType, m.ResourceName, m.ResourcePatternType, m.Principal, m.Host, m.Operation, m.PermissionType)
			if a.err == nil && i < len(changes) && got != changes[i].binding() {
				a.err = fmt.Errorf("%w: %s", errOtherBinding, got)
			}
		}
		ans.items = append(ans.items, a)
	}
	return ans, nil
}

var errOtherBinding = errors.New("the broker says it deleted another binding")
