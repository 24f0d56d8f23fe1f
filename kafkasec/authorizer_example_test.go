package kafkasec_test

import (
	"fmt"
	"log"
	"net/netip"

	"github.com/holdfast-sec/holdfast/kafkasec"
)

// bindingsOf expands ACLs as a spec writes them.
func bindingsOf(acls ...kafkasec.ACL) []kafkasec.Binding {
	var all []kafkasec.Binding
	for _, a := range acls {
		bs, err := a.Bindings()
		if err != nil {
			log.Fatal(err)
		}
		all = append(all, bs...)
	}
	return all
}

var exampleACLs = []kafkasec.ACL{
	{Principal: "User:billing", Operations: []kafkasec.Operation{kafkasec.Read}, Resource: "topic:orders"},
	{Principal: "User:orders", Operations: []kafkasec.Operation{kafkasec.All}, Resource: "topic:orders*", Host: "10.0.0.0/8"},
	{Principal: "User:*", Operations: []kafkasec.Operation{kafkasec.Read}, Resource: "topic:orders", Host: "10.9.0.0/16", Permission: kafkasec.Deny},
	{Principal: "User:billing", Operations: []kafkasec.Operation{kafkasec.Describe}, Resource: "topic:orders"},
}

// May a client do something, and which binding decides? The bindings can come
// from a spec (Spec.Bindings) or from a live cluster (Reconciler.Bindings).
func ExampleAuthorizer_Decide() {
	a := kafkasec.NewAuthorizer(bindingsOf(exampleACLs...), kafkasec.AuthorizerOptions{SuperUsers: []string{"User:admin"}})

	orders, err := kafkasec.ParseResource("topic:orders", "")
	if err != nil {
		log.Fatal(err)
	}
	for _, host := range []string{"10.1.2.3", "10.9.0.1"} {
		d := a.Decide(kafkasec.Question{Principal: "User:orders", Host: netip.MustParseAddr(host), Operation: kafkasec.Read, Resource: orders})
		fmt.Println(d)
	}
	// Output:
	// User:orders may Read topic:orders from 10.1.2.3: allow User:orders All on topic:orders* from 10.0.0.0/8
	// User:orders may not Read topic:orders from 10.9.0.1: deny User:* Read on topic:orders from 10.9.0.0/16
}

// Who can read a topic, and from where?
func ExampleAuthorizer_Who() {
	a := kafkasec.NewAuthorizer(bindingsOf(exampleACLs...), kafkasec.AuthorizerOptions{SuperUsers: []string{"User:admin"}})
	orders := kafkasec.Resource{Type: kafkasec.ResourceTopic, Name: "orders", Pattern: kafkasec.Literal}
	for _, access := range a.Who(kafkasec.Read, orders) {
		fmt.Println(access.Principal, "from", access.Host, "except", access.ExceptHosts, access.Rule)
	}
	// Output:
	// User:admin from * except [] super-user
	// User:billing from * except [10.9.0.0/16] allow
	// User:orders from 10.0.0.0/8 except [10.9.0.0/16] allow
}

// What can a principal do?
func ExampleAuthorizer_What() {
	a := kafkasec.NewAuthorizer(bindingsOf(exampleACLs...), kafkasec.AuthorizerOptions{})
	for _, right := range a.What("User:billing").Allowed {
		fmt.Println(right.Operations, "on", right.Binding.Resource, "except", right.Except)
	}
	// Output:
	// [Describe] on topic:orders except []
	// [Read Describe] on topic:orders except [deny User:* Read on topic:orders from 10.9.0.0/16]
}

// Bindings that do not do what they seem to.
func ExampleAuthorizer_Lint() {
	a := kafkasec.NewAuthorizer(bindingsOf(exampleACLs...), kafkasec.AuthorizerOptions{AllowEveryone: true})
	for _, f := range a.Lint() {
		fmt.Printf("%s %s: %s\n", f.Severity, f.Subject, f.Message)
	}
	// Output:
	// high topic:orders*: bindings on it (1) end what allow.everyone.if.no.acl.found gives everyone: they give access only to User:orders
	// info allow User:billing Describe on topic:orders from *: it spells out what is implied by allow User:billing Read on topic:orders from *
}
