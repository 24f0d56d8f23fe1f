package certstore

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// glob is a pattern by path segment.
type glob []string

func parseGlob(pattern string) (glob, error) {
	if pattern != path.Clean(pattern) || !fs.ValidPath(pattern) {
		return nil, fmt.Errorf("glob %q: want a path from the root of the file system, with no slash in front and no dots as names", pattern)
	}
	g := glob(strings.Split(pattern, "/"))
	for _, segment := range g {
		if _, err := path.Match(segment, ""); err != nil {
			return nil, fmt.Errorf("glob %q: %w", pattern, err)
		}
	}
	return g, nil
}

// literal is whether the glob names one file.
func (g glob) literal() bool { return !strings.ContainsAny(strings.Join(g, "/"), `*?[\`) }

// cursor is how far a glob has come on the way to a directory: the numbers of
// segments that may be behind it.
type cursor struct {
	glob glob
	at   []int
}

func (g glob) start() cursor { return cursor{g, g.close(nil, 0)} }

// close adds a state, and those that it reaches over a ** for no directory.
func (g glob) close(states []int, i int) []int {
	for ; !slices.Contains(states, i); i++ {
		states = append(states, i)
		if i == len(g) || g[i] != "**" {
			break
		}
	}
	return states
}

// step goes into name. named says whether a segment without wildcards led there.
func (c cursor) step(name string) (next cursor, named bool) {
	next.glob = c.glob
	for _, i := range c.at {
		if i == len(c.glob) {
			continue
		}
		segment := c.glob[i]
		if segment == "**" {
			next.at = c.glob.close(next.at, i)
		} else if ok, _ := path.Match(segment, name); ok {
			next.at = c.glob.close(next.at, i+1)
			named = named || segment == name
		}
	}
	return next, named
}

// matches is whether the whole glob is behind it.
func (c cursor) matches() bool { return slices.Contains(c.at, len(c.glob)) }

// open is whether something below may match.
func (c cursor) open() bool {
	return slices.ContainsFunc(c.at, func(i int) bool { return i < len(c.glob) })
}
