package kafkasec

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
)

func TestBrokerError(t *testing.T) {
	dump := "Request Request(processor=1, connectionId=127.0.0.1:1-2-3, session=Session@7cdd5547) needs ALTER permission."
	no := "no"
	for want, err := range map[string]error{
		"CLUSTER_AUTHORIZATION_FAILED: needs Alter on the cluster":                  brokerError(kerr.ClusterAuthorizationFailed.Code, &dump, "Alter on the cluster"),
		"TOPIC_AUTHORIZATION_FAILED":                                                brokerError(kerr.TopicAuthorizationFailed.Code, &dump, ""),
		"POLICY_VIOLATION: no":                                                      brokerError(kerr.PolicyViolation.Code, &no, "Create on the topic"),
		"POLICY_VIOLATION: Request parameters do not satisfy the configured policy": brokerError(kerr.PolicyViolation.Code, nil, ""),
		"error code 31000: no":                                                      brokerError(31000, &no, ""),
	} {
		require.EqualError(t, err, want)
	}
	require.NoError(t, brokerError(0, &no, ""))
	require.ErrorIs(t, brokerError(kerr.PolicyViolation.Code, &no, ""), kerr.PolicyViolation)
}
