package certstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/keystore"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// place is where some bytes are from.
type place struct {
	// path is that of the Found; name is that in the file system, empty where the
	// bytes are from a cluster.
	path, name string
	alias      string
	format     Format // of the document around it, empty for a file
	role       Role
	// asked is whether it is worth a word that nothing is there.
	asked bool
	// picked is whether a glob named it, or the document around it.
	picked bool
	depth  int
}

// in is a place within a document.
func (at place) in(format Format, alias string, role Role) place {
	if at.alias != "" {
		alias = at.alias + " " + alias
	}
	at.format, at.alias, at.role, at.asked, at.picked = format, alias, role, true, true
	at.depth++
	return at
}

// content finds what is in some bytes, whatever they are.
func (r *reader) content(at place, data []byte) []Found {
	if at.depth > maxNested {
		return []Found{r.wrong(at, fmt.Errorf("%w: documents within documents, deeper than %d", ErrLimit, maxNested))}
	}
	if sniff(data) == object {
		return r.documents(at, data)
	}
	l, err := r.list(at.path, data)
	whole := Found{Path: at.path, Format: at.formatOf(l.Type), Alias: at.alias, Role: at.role, Integrity: Integrity(l.Integrity), At: r.at, Notes: l.Notes, Err: err}
	if err != nil {
		whole.Err = fmt.Errorf("read %s: %w", at, err)
	}
	if l.Integrity == keystore.Unchecked && err == nil {
		whole.Notes = append(whole.Notes, "its integrity was not checked: that takes the password")
	}
	if at.elses(data, l, err) {
		return nil
	}
	if l.Type == keystore.PEM || l.Type == keystore.DER {
		return r.single(at, whole, l.Entries)
	}
	var all []Found
	if whole.Err != nil || len(whole.Notes) > 0 {
		all = append(all, whole)
	}
	for _, e := range l.Entries {
		f := whole
		f.Notes, f.Err = nil, nil
		f.Alias = strings.TrimSpace(at.alias + " " + e.Alias)
		r.fill(&f, e)
		if len(f.Certificates) == 0 {
			f.Notes = []string{"a private key, whose certificates are not there or could not be opened"}
		}
		all = append(all, f)
	}
	return all
}

// elses is whether a file that nobody named holds something else: DER that is no
// certificate, PEM of other things, or a text about certificates.
func (at place) elses(data []byte, l keystore.Listing, err error) bool {
	switch {
	case at.picked || len(l.Entries) > 0 || err == nil:
		return false
	case l.Type == keystore.PEM:
		return !at.asked || sniff(data) == nothing
	}
	return !at.asked && errors.Is(err, ErrUnsupported)
}

// single is a file that is one entry.
func (r *reader) single(at place, f Found, entries []keystore.Listed) []Found {
	for _, e := range entries {
		r.fill(&f, e)
	}
	if len(f.Certificates) == 0 && f.Err == nil {
		if !at.picked {
			return nil // keys lie beside their certificates
		}
		f.Notes = append(f.Notes, "there is a private key in it, and no certificate")
	}
	k3s(&f)
	return []Found{f}
}

// fill puts the certificates of an entry into a Found.
func (r *reader) fill(f *Found, e keystore.Listed) {
	if f.Role == Listed {
		switch {
		case e.Key:
			f.Role = Key
		case e.Trusted:
			f.Role = Trusted
		}
	}
	for _, der := range e.Certificates {
		f.Certificates = append(f.Certificates, tlsprobe.ParseCertificate(der))
	}
	f.Reasons = tlsprobe.Inspect(f.Certificates, r.at)
}

// list tries the passwords. One that a keystore does not need does no harm.
func (r *reader) list(path string, data []byte) (keystore.Listing, error) {
	var passwords []holdfast.Secret
	if r.opts.Passwords != nil {
		passwords = r.opts.Passwords(path)
	}
	if len(passwords) == 0 {
		passwords = []holdfast.Secret{{}}
	}
	var l keystore.Listing
	var err error
	for _, password := range passwords {
		if err = r.ctx.Err(); err != nil {
			return l, err
		}
		if l, err = keystore.List(data, password); !errors.Is(err, keystore.ErrPassword) {
			break
		}
	}
	return l, err
}

// wrong is a Found that is an error alone.
func (r *reader) wrong(at place, err error) Found {
	return Found{Path: at.path, Format: at.format, Alias: at.alias, Role: at.role, At: r.at, Err: fmt.Errorf("read %s: %w", at, err)}
}

func (at place) String() string {
	if at.alias == "" {
		return at.path
	}
	return at.path + " " + at.alias
}

func (at place) formatOf(t keystore.Type) Format {
	if at.format != "" {
		return at.format
	}
	return Format(strings.ToLower(string(t)))
}
