package tlsprobe

import (
	"crypto/sha256"
	"sync"
	"time"
)

// judged is what a prober remembers of a chain: verifying an unchanged one costs
// as much as the rest of a probe.
type judged struct {
	certs []Certificate
	verdict
}

// cache holds verdicts by chain and name. Its roots never change: a prober with
// others is another prober with its own cache.
type cache struct {
	mu      sync.Mutex
	entries map[[sha256.Size]byte]judged
}

// maxCached bounds a cache. Ten thousand chains are some 40 MiB; a scan of
// more is of chains it meets once.
const maxCached = 4096

func cacheKey(raw [][]byte, name string) [sha256.Size]byte {
	h := sha256.New()
	var length [4]byte
	part := func(n int) {
		length = [4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
		h.Write(length[:])
	}
	for _, der := range raw {
		part(len(der))
		h.Write(der)
	}
	part(len(name))
	h.Write([]byte(name))
	var key [sha256.Size]byte
	h.Sum(key[:0])
	return key
}

func (c *cache) get(key [sha256.Size]byte, now time.Time) (judged, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.entries[key]
	if !ok || now.After(entry.until) {
		return judged{}, false
	}
	return entry, true
}

func (c *cache) put(key [sha256.Size]byte, entry judged) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxCached {
		c.entries = map[[sha256.Size]byte]judged{}
	}
	c.entries[key] = entry
}
