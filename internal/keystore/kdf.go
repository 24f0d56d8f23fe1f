package keystore

import (
	"bytes"
	"hash"
)

// What a derived value is for (RFC 7292 §B.3).
const (
	idKey byte = 1
	idIV  byte = 2
	idMAC byte = 3
)

// derivePKCS12 is the key derivation of RFC 7292 §B.2, whose letters it uses.
func derivePKCS12(newHash func() hash.Hash, id byte, password, salt []byte, iterations, size int) []byte {
	h := newHash()
	v := h.BlockSize()
	d := bytes.Repeat([]byte{id}, v)
	i := append(repeatTo(salt, v), repeatTo(password, v)...)
	var out []byte
	for {
		h.Reset()
		h.Write(d)
		h.Write(i)
		a := h.Sum(nil)
		for range iterations - 1 {
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		out = append(out, a...)
		if len(out) >= size {
			return out[:size]
		}
		b := bytes.Repeat(a, v/len(a)+1)[:v]
		for j := 0; j < len(i); j += v {
			addOne(i[j:j+v], b)
		}
	}
}

// repeatTo repeats p to the next multiple of v bytes.
func repeatTo(p []byte, v int) []byte {
	if len(p) == 0 {
		return nil
	}
	n := (len(p) + v - 1) / v * v
	return bytes.Repeat(p, n/len(p)+1)[:n]
}

// addOne sets x to x + b + 1, big-endian and modulo its size.
func addOne(x, b []byte) {
	carry := 1
	for j := len(x) - 1; j >= 0; j-- {
		carry += int(x[j]) + int(b[j])
		x[j] = byte(carry)
		carry >>= 8
	}
}
