package tlsprobe

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-sec/holdfast/internal/parallel"
)

// maxAddresses bounds how many addresses of one name are probed.
const maxAddresses = 64

// ProbeEvery looks at every address that the name of a target has, in the order
// of the resolver, and gives a result for each: behind one name one server of
// several may hold an old certificate. A name without addresses, or a target
// with a Dial of its own, gives one result. At most 64 addresses are probed, a
// note says so where there are more.
func (p *Prober) ProbeEvery(ctx context.Context, target Target) []Result {
	t, err := target.resolve()
	if err != nil || target.Dial != "" || net.ParseIP(t.Host) != nil {
		return []Result{p.Probe(ctx, target)}
	}
	resolver := p.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	lookup, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	start := time.Now()
	addrs, err := resolver.LookupNetIP(lookup, "ip"+strings.TrimPrefix(t.Network, "tcp"), t.Host)
	took := time.Since(start)
	if err != nil {
		r := Result{Target: t, Start: p.now(), ClientCertificate: ClientAuthUnknown}
		p.explainDial(lookup, &r, err)
		r.Timings.DNS, r.Timings.Total = took, took
		return []Result{r}
	}
	more := len(addrs) - maxAddresses
	addrs = addrs[:min(len(addrs), maxAddresses)]
	targets := make([]Target, len(addrs))
	for i, addr := range addrs {
		targets[i] = target
		targets[i].Dial = net.JoinHostPort(addr.Unmap().String(), strconv.Itoa(int(t.Port)))
	}
	results, errs := parallel.Map(ctx, len(targets), targets, func(ctx context.Context, target Target) (Result, error) {
		r := p.Probe(ctx, target)
		r.Timings.DNS = took
		r.Timings.Total += took
		if more > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("%d more addresses were not probed", more))
		}
		return r, nil
	})
	for i, err := range errs {
		if err != nil { // the caller gave up before its turn
			results[i] = p.Probe(ctx, targets[i])
		}
	}
	return results
}

// LookupSRV returns a target for each server that a service of a domain has
// (RFC 2782), in the order to try them. service is "_imaps._tcp" or so; its
// upgrade is [Direct]. The names of the certificates must be the domain's for
// XMPP (RFC 6120 §13.7.2.1) and LDAP, the servers' for most others: VerifyName is
// left to the caller.
func (p *Prober) LookupSRV(ctx context.Context, service, domain string) ([]Target, error) {
	resolver := p.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	_, records, err := resolver.LookupSRV(ctx, "", "", service+"."+domain)
	if err != nil {
		return nil, fmt.Errorf("look up SRV %s.%s: %w", service, domain, err)
	}
	targets := make([]Target, 0, len(records))
	for _, record := range records {
		if record.Target == "." {
			return nil, fmt.Errorf("look up SRV %s.%s: the domain says that it does not have the service", service, domain)
		}
		targets = append(targets, Target{Host: strings.TrimSuffix(record.Target, "."), Port: record.Port})
	}
	return targets, nil
}
