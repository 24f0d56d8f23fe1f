package holdfast_test

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// canary is a value that occurs nowhere else: where it shows up, a secret
// leaked. It is put together at run time, so that it does not stand in the test
// binary as one string that a trace or a core could show by accident.
var canary = strings.Join([]string{"zQ7canary", "pässwörd", "K9!x"}, `"\`)

// guises returns the forms in which printers and encoders may show s.
func guises(s string) map[string]string {
	backwards := []rune(s)
	slices.Reverse(backwards)
	backwardsBytes := []byte(s)
	slices.Reverse(backwardsBytes)
	jsonText, _ := json.Marshal(s)
	perByte := func(format, sep string) string {
		var parts []string
		for _, c := range []byte(s) {
			parts = append(parts, fmt.Sprintf(format, c))
		}
		return strings.Join(parts, sep)
	}
	g := map[string]string{
		"plain":              s,
		"backwards":          string(backwards),
		"bytes backwards":    string(backwardsBytes),
		"quoted":             strings.Trim(strconv.Quote(s), `"`),
		"quoted ASCII":       strings.Trim(strconv.QuoteToASCII(s), `"`),
		"JSON":               strings.Trim(string(jsonText), `"`),
		"URL query":          url.QueryEscape(s),
		"URL path":           url.PathEscape(s),
		"hex":                hex.EncodeToString([]byte(s)),
		"HEX":                strings.ToUpper(hex.EncodeToString([]byte(s))),
		"spaced hex":         perByte("%02x", " "),
		"colon hex":          perByte("%02x", ":"),
		"Go bytes":           perByte("0x%02x", ", "),
		"Go bytes, short":    perByte("0x%x", ", "),
		"escaped hex":        perByte(`\x%02x`, ""),
		"decimal list":       perByte("%d", " "),
		"decimal with comma": perByte("%d", ","),
		"base32":             strings.TrimRight(base32.StdEncoding.EncodeToString([]byte(s)), "="),
		"backwards hex":      hex.EncodeToString(backwardsBytes),
	}
	// Base64 of a longer text shows the secret in one of three alignments. The
	// first and last characters depend on the neighbours and are cut off.
	for shift := range 3 {
		padded := append(make([]byte, shift), s...)
		padded = append(padded, make([]byte, 3-len(padded)%3)...)
		for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := enc.EncodeToString(padded)
			g[fmt.Sprintf("%s, shifted by %d", name, shift)] = text[4 : len(text)-4]
		}
	}
	return g
}

// A part of the canary is a leak too: a printer may cut long values.
var canaryGuises = func() map[string]string {
	all := guises(canary)
	for name, form := range guises(canary[:8]) {
		if len(form) >= 6 {
			all["first letters, "+name] = form
		}
	}
	return all
}()

func leaks(text string) []string {
	var found []string
	for name, form := range canaryGuises {
		if strings.Contains(text, form) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

func requireNoCanary(t *testing.T, where, text string) {
	t.Helper()
	if found := leaks(text); len(found) > 0 {
		require.Failf(t, "a secret leaked", "%s shows it as %v:\n%s", where, found, text)
	}
}

// The tests that use the detector are worth nothing unless it detects, so here
// it meets the types that people use in place of Secret.
func TestCanary_DetectorSeesLeaks(t *testing.T) {
	type naive string
	type careful struct{ value naive }
	tests := map[string]string{
		"%v":                      fmt.Sprintf("%v", naive(canary)),
		"%q":                      fmt.Sprintf("%q", naive(canary)),
		"%+q":                     fmt.Sprintf("%+q", naive(canary)),
		"%x":                      fmt.Sprintf("%x", naive(canary)),
		"% X":                     fmt.Sprintf("% x", naive(canary)),
		"%d of the bytes":         fmt.Sprintf("%d", []byte(canary)),
		"%#v of the bytes":        fmt.Sprintf("%#v", []byte(canary)),
		"%v of unexported":        fmt.Sprintf("%v", careful{naive(canary)}),
		"%#v of unexported":       fmt.Sprintf("%#v", &careful{naive(canary)}),
		"base64 in a longer text": base64.StdEncoding.EncodeToString([]byte("user:" + canary + ":x")),
		"cut":                     canary[:10] + "...",
	}
	for name, text := range tests {
		require.NotEmpty(t, leaks(text), name)
	}
	require.Empty(t, leaks("[secret] holdfast.Secret{[secret]}"))
}
