package strictyaml

import (
	"strconv"
	"strings"
)

// path leads from the root to a value. It becomes a string only where a problem
// needs one: a document of many values under long keys would otherwise cost
// memory that grows with its square.
type path []step

// step is a key of a mapping, or an index of a list where key is "" and index
// is not negative.
type step struct {
	key   string
	index int
}

func (p *path) push(s step)      { *p = append(*p, s) }
func (p *path) pushKey(k string) { p.push(step{key: k, index: -1}) }
func (p *path) pushIndex(i int)  { p.push(step{index: i}) }

func (p *path) pop() step {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// String writes acls[2].operations[0]; a key that holds more than letters,
// digits, - and _ is quoted: topics[0].configs["retention.ms"].
func (p path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.index >= 0:
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(s.index))
			b.WriteByte(']')
		case !plainKey(s.key):
			b.WriteByte('[')
			b.WriteString(strconv.Quote(s.key))
			b.WriteByte(']')
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.key)
		}
	}
	return b.String()
}

func plainKey(key string) bool {
	for i := range len(key) {
		if !plainByte(key[i]) {
			return false
		}
	}
	return key != ""
}

func plainByte(c byte) bool {
	return c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// parsePath reads what String writes. Of a text that is no path it returns the
// steps before the mistake: positions fall back to the nearest parent anyway.
func parsePath(s string) path {
	var p path
	for s != "" {
		if s[0] == '[' {
			if quoted, err := strconv.QuotedPrefix(s[1:]); err == nil {
				key, err := strconv.Unquote(quoted)
				if err != nil || !strings.HasPrefix(s[1+len(quoted):], "]") {
					return p
				}
				p.pushKey(key)
				s = s[len(quoted)+2:]
				continue
			}
			digits, rest, ok := strings.Cut(s[1:], "]")
			index, err := strconv.Atoi(digits)
			if !ok || err != nil || index < 0 {
				return p
			}
			p.pushIndex(index)
			s = rest
			continue
		}
		s = strings.TrimPrefix(s, ".")
		end := 0
		for end < len(s) && plainByte(s[end]) {
			end++
		}
		if end == 0 {
			return p
		}
		p.pushKey(s[:end])
		s = s[end:]
	}
	return p
}
