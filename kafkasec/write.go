package kafkasec

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// writer makes one stage's changes: how they are packed, sent and answered.
type writer struct {
	what string
	// limit is the most weight that one request carries; weight is what one
	// change adds to it.
	limit  int
	weight func(Change) int
	// contested is the error that says somebody was here first; nil where the
	// request is idempotent by itself.
	contested error
	send      func(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error)
}

// answers are one per sent change, in order.
type answers struct {
	items    []answer
	throttle time.Duration
}

type answer struct {
	err  error
	gone bool // a delete that found nothing
	// unsent: this request had no room for it.
	unsent bool
}

// refusedWhole reports whether every item was refused with POLICY_VIOLATION.
// A request above the controller's record limit is answered like that; so is
// one whose items a site's own policy refuses one by one. Nothing was written
// either way, so trying smaller parts is safe and tells them apart.
func (a answers) refusedWhole() bool {
	for _, it := range a.items {
		if !errors.Is(it.err, kerr.PolicyViolation) {
			return false
		}
	}
	return len(a.items) > 0
}

func one(Change) int { return 1 }

// writers by stage; a stage without one writes nothing.
func writerFor(st stage) writer {
	switch st {
	case stageCreateTopics:
		return writer{"create topics", maxRecords, createTopicRecords, kerr.TopicAlreadyExists, createTopics}
	case stagePartitions:
		return writer{"add partitions", maxRecords, addedPartitions, kerr.InvalidPartitions, createPartitions}
	case stageConfigs:
		return writer{"set topic configs", maxRecords, changedConfigs, nil, alterConfigs}
	case stageDeny, stageGrant:
		return writer{"create acls", maxRecords, one, nil, createACLs}
	case stageRevoke, stageUndeny:
		return writer{"delete acls", maxDeleteFilters, one, nil, deleteACLs}
	case stageQuotas:
		return writer{"set quotas", maxRecords, changedLimits, nil, alterQuotas}
	case stageLiftQuotas:
		return writer{"lift quotas", maxRecords, changedLimits, nil, alterQuotas}
	case stageDropScram256, stageDropScram512:
		return writer{"delete scram credentials", maxDeletedTopics, one, nil, deleteCredentials}
	case stageDeleteTopics:
		return writer{"delete topics", maxDeletedTopics, one, nil, deleteTopics}
	}
	return writer{}
}
