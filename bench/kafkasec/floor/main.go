package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func check(code int16, err error) {
	if err == nil {
		err = kerr.ErrorForCode(code)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// floor BROKER PREFIX TOPICS ACLS, at most 2,000 topics and 10,000 ACLs: 10,000 records each.
func main() {
	nTopics, err := strconv.Atoi(os.Args[3])
	check(0, err)
	nACLs, err := strconv.Atoi(os.Args[4])
	check(0, err)
	start, ctx := time.Now(), context.Background()
	cl, err := kgo.NewClient(kgo.SeedBrokers(os.Args[1]))
	check(0, err)
	see := kmsg.NewMetadataRequest() // of every topic
	read := kmsg.NewDescribeACLsRequest()
	read.ResourceType, read.ResourcePatternType, read.Operation, read.PermissionType = 1, 1, 1, 1
	topics, acls := kmsg.NewCreateTopicsRequest(), kmsg.NewCreateACLsRequest()
	for i := range nTopics {
		t, c := kmsg.NewCreateTopicsRequestTopic(), kmsg.NewCreateTopicsRequestTopicConfig()
		t.Topic, t.NumPartitions, t.ReplicationFactor = fmt.Sprintf("%s%05d", os.Args[2], i), 3, 1
		c.Name, c.Value = "retention.ms", kmsg.StringPtr("86400000")
		t.Configs, topics.Topics = append(t.Configs, c), append(topics.Topics, t)
	}
	for i := range nACLs {
		a := kmsg.NewCreateACLsRequestCreation()
		a.ResourceType, a.ResourceName, a.ResourcePatternType = kmsg.ACLResourceTypeTopic, topics.Topics[i/2%nTopics].Topic, kmsg.ACLResourcePatternTypeLiteral
		a.Principal, a.Host = fmt.Sprintf("User:%s%05d", os.Args[2], i/2), "*"
		a.Operation, a.PermissionType = kmsg.ACLOperationRead+kmsg.ACLOperation(i%2), kmsg.ACLPermissionTypeAllow
		acls.Creations = append(acls.Creations, a)
	}
	_, err = see.RequestWith(ctx, cl)
	check(0, err)
	before, err := read.RequestWith(ctx, cl)
	check(before.ErrorCode, err)
	madeTopics, err := topics.RequestWith(ctx, cl)
	check(0, err)
	for _, t := range madeTopics.Topics {
		check(t.ErrorCode, nil)
	}
	madeACLs, err := acls.RequestWith(ctx, cl)
	check(0, err)
	for _, r := range madeACLs.Results {
		check(r.ErrorCode, nil)
	}
	// Done is what the next reader sees; a broker follows the log in order.
	last := kmsg.NewMetadataRequestTopic()
	last.Topic = &topics.Topics[nTopics-1].Topic
	see.Topics, read.ResourceName, read.Principal = append(see.Topics, last), last.Topic, &acls.Creations[nACLs-1].Principal
	for seen := false; !seen; time.Sleep(5 * time.Millisecond) {
		resp, err := see.RequestWith(ctx, cl)
		check(0, err)
		seen = resp.Topics[0].ErrorCode == 0
	}
	for seen := false; !seen; time.Sleep(5 * time.Millisecond) {
		resp, err := read.RequestWith(ctx, cl)
		check(resp.ErrorCode, err)
		seen = len(resp.Resources) > 0
	}
	fmt.Println(time.Since(start).Nanoseconds())
}
