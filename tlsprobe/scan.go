package tlsprobe

import (
	"context"
	"iter"
	"net/netip"
	"sync"
	"time"
)

// Scanner probes many endpoints. Its zero value is ready to use.
type Scanner struct {
	// Prober probes. Nil means one with defaults.
	Prober *Prober
	// Concurrency is how many probes are under way at once. 0 means 64.
	Concurrency int
	// PerNetwork is how many probes a second may begin in one /24 of IPv4 or /48
	// of IPv6. 0 means no limit. Targets given by name are not limited, because
	// the network is not known before the lookup.
	PerNetwork int
	// Skip is how many targets to leave out: the last number that OnDone of an
	// interrupted scan of the same targets was told.
	Skip int
	// OnDone is told after each result how many targets from the first on have
	// been yielded, without a gap. It is called by the goroutine that ranges.
	OnDone func(done int)
}

// Scan probes targets with the default [Scanner].
func Scan(ctx context.Context, targets iter.Seq[Target]) iter.Seq2[Target, Result] {
	return (&Scanner{}).Scan(ctx, targets)
}

// Scan probes targets as they come, and yields results as they are there, in no
// order. It holds as many as are under way and no more, so a host that is down
// stalls one of Concurrency and not the rest. It ends when the targets do, when
// ctx is done (probes under way are yielded as canceled) or when the caller
// stops; every goroutine is gone by then. targets is ranged over by another
// goroutine than the caller's.
func (s *Scanner) Scan(ctx context.Context, targets iter.Seq[Target]) iter.Seq2[Target, Result] {
	return func(yield func(Target, Result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		queue, answers := make(chan job), make(chan answer)
		var all sync.WaitGroup
		all.Go(func() {
			defer close(queue)
			s.feed(ctx, targets, queue)
		})
		prober, workers := s.Prober, s.Concurrency
		if prober == nil {
			prober = &Prober{}
		}
		if workers <= 0 {
			workers = 64
		}
		for range workers {
			all.Go(func() {
				for j := range queue {
					answers <- answer{j, prober.Probe(ctx, j.target)}
				}
			})
		}
		go func() { all.Wait(); close(answers) }()
		// Every answer is taken, so no worker is left behind.
		defer func() {
			cancel()
			for range answers { // nothing to do with it
			}
		}()
		done := progress{next: s.Skip}
		for a := range answers {
			if !yield(a.target, a.result) {
				return
			}
			if n := done.add(a.index); s.OnDone != nil {
				s.OnDone(n)
			}
		}
	}
}

type job struct {
	index  int
	target Target
}

type answer struct {
	job
	result Result
}

func (s *Scanner) feed(ctx context.Context, targets iter.Seq[Target], queue chan<- job) {
	pace := pacer{every: s.PerNetwork, now: time.Now}
	index := -1
	for target := range targets {
		if index++; index < s.Skip {
			continue
		}
		if !pace.wait(ctx, target) {
			return
		}
		select {
		case queue <- job{index, target}:
		case <-ctx.Done():
			return
		}
	}
}

// progress finds the first index without a result.
type progress struct {
	next  int
	ahead map[int]bool
}

func (p *progress) add(index int) int {
	if p.ahead == nil {
		p.ahead = map[int]bool{}
	}
	p.ahead[index] = true
	for p.ahead[p.next] {
		delete(p.ahead, p.next)
		p.next++
	}
	return p.next
}

// pacer spaces the probes of a network out. It forgets networks whose next turn
// is past, so it holds those of about a second.
type pacer struct {
	every int
	next  map[netip.Prefix]time.Time
	now   func() time.Time
}

func (p *pacer) wait(ctx context.Context, t Target) bool {
	network, ok := networkOf(t.Host)
	if p.every <= 0 || !ok {
		return ctx.Err() == nil
	}
	now := p.now()
	if p.next == nil || len(p.next) > 4096 {
		kept := map[netip.Prefix]time.Time{}
		for n, at := range p.next {
			if at.After(now) {
				kept[n] = at
			}
		}
		p.next = kept
	}
	at := p.next[network]
	if at.Before(now) {
		at = now
	}
	p.next[network] = at.Add(time.Second / time.Duration(p.every))
	if !at.After(now) {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func networkOf(host string) (netip.Prefix, bool) {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}, false
	}
	addr = addr.Unmap()
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	network, err := addr.Prefix(bits)
	return network, err == nil
}
