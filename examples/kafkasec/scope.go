package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/playbook"
)

// The flags that say how much is exported, beside those of [scopeFlags].
const (
	flagAll       = "all"
	flagScopeFile = "scope-file"
)

// scopeFlags adds a flag for each field of a scope, and gives their names.
func scopeFlags(cmd *cobra.Command, scope *kafkasec.Scope) []string {
	const cluster = "cluster"
	cmd.Flags().BoolVar(&scope.Cluster, cluster, false, "export ACLs on the cluster resource")
	flags := []string{cluster}
	for _, names := range []struct {
		list             *[]string
		flag, what, meta string
	}{
		{&scope.Topics, "topic", "the topic", "NAME"},
		{&scope.TopicPrefixes, "topic-prefix", "topics whose names begin with", "PREFIX"},
		{&scope.Groups, "group", "ACLs on the group", "NAME"},
		{&scope.GroupPrefixes, "group-prefix", "ACLs on groups whose names begin with", "PREFIX"},
		{&scope.TransactionalIDs, "transactional-id", "ACLs on the transactional id", "NAME"},
		{&scope.TransactionalIDPrefixes, "transactional-id-prefix", "ACLs on transactional ids that begin with", "PREFIX"},
		{&scope.Tokens, "token", "ACLs on the delegation token", "ID"},
		{&scope.Users, "user-resource", "ACLs on the user resource", "TYPE:NAME"},
		{&scope.Principals, "principal", "ACLs of the principal and, of User:NAME, the SCRAM user and its quotas, for", "TYPE:NAME"},
		{&scope.ClientIDs, "client-id", "quotas of the client id", "ID"},
		{&scope.IPs, "ip", "quotas of the address", "ADDRESS"},
		{&scope.QuotaDefaults, "quota-default", "quotas of all who have none of their own, by", "user|client_id|ip"},
	} {
		// Not split at commas, which principals of certificates are full of.
		cmd.Flags().StringArrayVar(names.list, names.flag, nil, fmt.Sprintf("export %s `%s`; may be repeated", names.what, names.meta))
		flags = append(flags, names.flag)
	}
	return flags
}

// oneExtent refuses what would contradict itself: each of --all, --scope-file and
// the flags of a scope says how much is exported.
func oneExtent(cmd *cobra.Command, scoped []string) error {
	given := slices.DeleteFunc([]string{flagAll, flagScopeFile}, func(name string) bool { return !cmd.Flags().Changed(name) })
	if i := slices.IndexFunc(scoped, cmd.Flags().Changed); i >= 0 {
		given = append(given, scoped[i]) // of those that add up, one is enough
	}
	const allowed = "--all, --scope-file FILE, or flags that name what to export, such as --topic-prefix PREFIX"
	switch len(given) {
	case 0:
		return errors.New("export: nothing says what to export: allowed is one of " + allowed)
	case 1:
		return nil
	}
	return fmt.Errorf("export: %s are given together: allowed is one of %s", "--"+strings.Join(given, " and --"), allowed)
}

// readScope gives the scope of a spec, or of what a variable file becomes.
func (a *app) readScope(path string) (kafkasec.Scope, error) {
	name, data, err := cli.ReadInput(path, a.stdin)
	if err != nil {
		return kafkasec.Scope{}, fmt.Errorf("--scope-file: %w", err)
	}
	if !playbook.Recognize(data) {
		spec, err := kafkasec.ParseSpec(name, data)
		return spec.Scope, err
	}
	// Which of two contradicting lines counts changes nothing of what they name.
	result, err := playbook.Read(name, data, playbook.Options{Conflicts: playbook.Grant})
	a.listUntranslated(name, result)
	return result.Spec.Scope, err
}
