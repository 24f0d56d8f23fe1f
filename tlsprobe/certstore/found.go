package certstore

import (
	"time"

	"github.com/holdfast-sec/holdfast/internal/keystore"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// Format is what a file turned out to be, whatever its name says.
type Format string

// The formats that are read.
const (
	PEM    Format = "pem"
	DER    Format = "der" // also PKCS#7
	JKS    Format = "jks"
	JCEKS  Format = "jceks"
	PKCS12 Format = "pkcs12"
	// Kubeconfig is a file of kind Config.
	Kubeconfig Format = "kubeconfig"
	// Manifest is any other object of Kubernetes, in a file or in a cluster.
	Manifest Format = "manifest"
)

// Role is what certificates are there for, as far as the file says.
type Role string

// The roles of [Found.Role].
const (
	// Listed: the file does not say. A PEM bundle may be a chain or a set of
	// trusted roots.
	Listed Role = ""
	// Key: the first certificate belongs to a private key beside it.
	Key Role = "key"
	// Trusted: marked as trusted, or in a place for CAs.
	Trusted Role = "trusted"
)

// Integrity says whether a password proved that a keystore is as it was written.
type Integrity string

// The states of [Found.Integrity]; empty for formats without such a check.
const (
	Verified      Integrity = Integrity(keystore.Verified)
	Unchecked     Integrity = Integrity(keystore.Unchecked)
	WrongPassword Integrity = Integrity(keystore.WrongPassword)
)

// What callers branch on in [Found.Err].
var (
	// ErrPassword: no password opens it.
	ErrPassword = keystore.ErrPassword
	// ErrCorrupt: damaged, or nothing that holds certificates.
	ErrCorrupt = keystore.ErrCorrupt
	// ErrUnsupported: sound, but of a kind that is not read.
	ErrUnsupported = keystore.ErrUnsupported
	// ErrLimit: larger than what is read.
	ErrLimit = keystore.ErrLimit
)

// Found is the certificates of one entry: of a whole PEM file, of one alias of a
// keystore, of one place in a document. What concerns the file as a whole, such as
// its error, is in a Found of its own, without certificates, in front of the
// others.
type Found struct {
	// Path is that of the file, below [Options.Base]; of an object in a cluster
	// Kind/namespace/name.
	Path   string
	Format Format
	// Alias is the entry of a keystore or the place in a document, such as
	// users[admin].client-certificate-data. Empty for the whole file.
	Alias string
	Role  Role
	// Purpose is what k3s uses a file of its tree for.
	Purpose   string
	Integrity Integrity
	// Certificates in the order of the file, of a key the leaf first.
	Certificates []tlsprobe.Certificate
	// Reasons are what is the matter with each of them at the time At; trust and
	// names are not looked at. See [tlsprobe.Inspect].
	Reasons []tlsprobe.Reason
	At      time.Time
	// RenewsFrom is when a restart of k3s begins to renew the certificate. Zero
	// for all others.
	RenewsFrom time.Time
	// Notes say what was passed over or could not be checked.
	Notes []string
	// Err says why the file, or a part of it, could not be read.
	Err error
}
