package tlsprobe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// CRLStatus is what a revocation list says of a certificate.
type CRLStatus string

// The outcomes. Only [CRLGood] says that a certificate is not revoked.
const (
	CRLGood    CRLStatus = "good"
	CRLRevoked CRLStatus = "revoked"
	// CRLStale: the list does not name the certificate, and its time is over.
	CRLStale CRLStatus = "stale"
	// CRLUnavailable: the certificate names no list, it cannot be had, or it is
	// not one that the issuer signed.
	CRLUnavailable CRLStatus = "unavailable"
)

// Revocation is what a list says of a certificate.
type Revocation struct {
	Status CRLStatus
	// Error says why the list is unavailable.
	Error string
	// URL is where the list came from.
	URL string
	// NextUpdate is when the list ends, RevokedAt when the certificate was
	// revoked; zero where there is no such time.
	NextUpdate, RevokedAt time.Time
}

// CRLs fetches revocation lists, remembers them until they end, for a day at
// most, and checks
// certificates against them. It may be used from many goroutines. Its fields are
// not to be altered after the first probe.
type CRLs struct {
	// Fetch gets a list. It bounds what it reads and how long it takes, and
	// decides which addresses may be asked: the certificate of a stranger names
	// them. It is required.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// MaxAge is how long a list without an end is remembered, and a failure. 0
	// means ten minutes.
	MaxAge time.Duration

	mu    sync.Mutex
	lists map[string]*crl
}

// maxCRLs bounds how many lists are remembered, and maxCRL how long one may be.
// The lists of public CAs are partitioned into some 100 KiB; private ones are
// smaller.
const (
	maxCRLs = 256
	maxCRL  = 16 << 20
)

type crl struct {
	ready chan struct{}
	list  *x509.RevocationList
	err   error
	until time.Time
}

func (c *CRLs) check(ctx context.Context, leaf, issuer *x509.Certificate, now time.Time) *Revocation {
	var failures []error
	if len(leaf.CRLDistributionPoints) == 0 {
		failures = append(failures, errors.New("the certificate names no revocation list"))
	}
	if issuer == nil {
		failures = append(failures, errors.New("the issuer is not known, so no signature can be checked"))
	}
	for _, url := range leaf.CRLDistributionPoints {
		if issuer == nil {
			break
		}
		if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
			failures = append(failures, fmt.Errorf("%q is not fetched: allowed are http and https", url))
			continue
		}
		list, err := c.get(ctx, url, now)
		if err == nil {
			err = list.CheckSignatureFrom(issuer)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", url, err))
			continue
		}
		return judgeCRL(list, url, leaf, now)
	}
	return &Revocation{Status: CRLUnavailable, Error: errors.Join(failures...).Error()}
}

func judgeCRL(list *x509.RevocationList, url string, leaf *x509.Certificate, now time.Time) *Revocation {
	r := &Revocation{Status: CRLGood, URL: url, NextUpdate: list.NextUpdate.UTC()}
	for _, entry := range list.RevokedCertificateEntries {
		// A reason of removeFromCRL takes a hold back (RFC 5280 §5.3.1).
		const removeFromCRL = 8
		if entry.SerialNumber.Cmp(leaf.SerialNumber) == 0 && entry.ReasonCode != removeFromCRL {
			r.Status, r.RevokedAt = CRLRevoked, entry.RevocationTime.UTC()
			return r
		}
	}
	if !list.NextUpdate.IsZero() && now.After(list.NextUpdate) {
		r.Status = CRLStale
	}
	return r
}

// get returns a remembered list or fetches it, once however many ask.
func (c *CRLs) get(ctx context.Context, url string, now time.Time) (*x509.RevocationList, error) {
	c.mu.Lock()
	entry, ok := c.lists[url]
	if ok && now.After(entry.until) {
		ok = false
	}
	if !ok {
		if c.lists == nil || len(c.lists) >= maxCRLs {
			c.lists = map[string]*crl{}
		}
		entry = &crl{ready: make(chan struct{}), until: now.Add(c.maxAge())}
		c.lists[url] = entry
	}
	c.mu.Unlock()
	if ok {
		select {
		case <-entry.ready:
			return entry.list, entry.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	entry.list, entry.err = c.fetch(ctx, url)
	c.mu.Lock()
	if entry.err == nil && entry.list.NextUpdate.After(now) {
		entry.until = entry.list.NextUpdate
		if most := now.Add(24 * time.Hour); entry.until.After(most) {
			entry.until = most // private CAs make lists of years and new ones daily
		}
	}
	if ctx.Err() != nil {
		delete(c.lists, url) // it was the caller who had no time
	}
	c.mu.Unlock()
	close(entry.ready)
	return entry.list, entry.err
}

func (c *CRLs) fetch(ctx context.Context, url string) (*x509.RevocationList, error) {
	der, err := c.Fetch(ctx, url)
	if err != nil {
		return nil, err
	}
	if len(der) > maxCRL {
		return nil, fmt.Errorf("the list has %d bytes, more than %d", len(der), maxCRL)
	}
	return x509.ParseRevocationList(der)
}

func (c *CRLs) maxAge() time.Duration {
	if c.MaxAge > 0 {
		return c.MaxAge
	}
	return 10 * time.Minute
}
