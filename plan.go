package holdfast

// Action is what a planned change does. Packages add verbs of their own.
type Action string

// The actions that all packages share.
const (
	ActionCreate  Action = "create"
	ActionUpdate  Action = "update"
	ActionDelete  Action = "delete"
	ActionRestart Action = "restart"
)

// Outcome is what became of one planned change. Every change of a plan gets
// exactly one.
type Outcome string

const (
	// Applied: the change was made, and the system confirmed it.
	Applied Outcome = "applied"
	// Unchanged: the wanted state held before anything was written.
	Unchanged Outcome = "unchanged"
	// Skipped: deliberately not made; the reason says why.
	Skipped Outcome = "skipped"
	// Failed: tried, and refused or not confirmed.
	Failed Outcome = "failed"
	// NotAttempted: nothing was done for this change. It was not sent, or put off
	// by the system and not sent again.
	NotAttempted Outcome = "not-attempted"
)

// Reason refines an [Outcome] where callers branch on it. Packages add their own.
type Reason string

// The reasons that all packages share.
const (
	// ReasonAlreadyDone goes with Unchanged: the wanted object was there already.
	ReasonAlreadyDone Reason = "already-done"
	// ReasonAlreadyGone goes with Unchanged: what was to be deleted was not there.
	ReasonAlreadyGone Reason = "already-gone"
	// ReasonProtected goes with Skipped: the object is one that is never touched.
	ReasonProtected Reason = "protected"
	// ReasonUnsupported goes with Skipped: the difference is real, but this
	// version cannot make the change.
	ReasonUnsupported Reason = "unsupported"
	// ReasonUnread goes with NotAttempted: the present state could not be read,
	// so nobody knows whether a change is needed.
	ReasonUnread Reason = "unread"
	// ReasonCanceled goes with NotAttempted: the context ended first.
	ReasonCanceled Reason = "canceled"
	// ReasonExpired goes with NotAttempted: a time limit passed first.
	ReasonExpired Reason = "expired"
	// ReasonUnknownResult goes with Failed: the request was sent but its answer
	// never came, so the change may or may not have been made.
	ReasonUnknownResult Reason = "unknown-result"
)
