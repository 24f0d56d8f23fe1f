package tlsprobe

import (
	"errors"
	"net"
	"sync"
)

type netConn = net.Conn

// errSettled ends the wait for what a server says after the handshake.
var errSettled = errors.New("the server went on")

// maxKept bounds what a recorder keeps of the server's first flight. Chains are
// 2 to 10 KiB; Go takes none of more than 256 KiB.
const maxKept = 64 << 10

var flights = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// recorder is the connection under TLS. It keeps what the server sends first, so
// that a certificate which Go's parser refuses is not lost, and follows the
// framing of records, so that one can tell when TLS has digested a record.
type recorder struct {
	netConn
	kept *[]byte

	head    [5]byte
	heads   int // bytes of head so far
	body    int // bytes of the record still to come
	records int // whole records so far

	// settle makes Read return errSettled once a whole record has come beyond
	// this many.
	settle  int
	settles bool
}

func record(conn net.Conn) *recorder {
	kept := flights.Get().(*[]byte)
	*kept = (*kept)[:0]
	return &recorder{netConn: conn, kept: kept}
}

// release gives the buffer back. The recorder is not to be read afterwards.
func (r *recorder) release() {
	if r.kept != nil && cap(*r.kept) <= maxKept {
		flights.Put(r.kept)
	}
	r.kept = nil
}

func (r *recorder) Read(p []byte) (int, error) {
	if r.settles && r.records > r.settle && r.body == 0 && r.heads == 0 {
		return 0, errSettled
	}
	n, err := r.netConn.Read(p)
	if room := maxKept - len(*r.kept); room > 0 && n > 0 {
		*r.kept = append(*r.kept, p[:min(n, room)]...)
	}
	r.follow(p[:n])
	return n, err
}

func (r *recorder) follow(p []byte) {
	for len(p) > 0 {
		if r.body > 0 {
			n := min(r.body, len(p))
			r.body -= n
			p = p[n:]
			if r.body == 0 {
				r.records++
			}
			continue
		}
		r.head[r.heads] = p[0]
		p = p[1:]
		if r.heads++; r.heads == len(r.head) {
			r.heads = 0
			if r.body = int(r.head[3])<<8 | int(r.head[4]); r.body == 0 {
				r.records++
			}
		}
	}
}

// The content types and the message of TLS that are read here (RFC 5246 §6.2.1,
// §7.4).
const (
	recordHandshake    = 22
	messageCertificate = 11
)

// plainCertificates returns the certificates of a Certificate message in a flight
// of TLS 1.2 or older, where it is not encrypted. It returns nil where there is
// none or it is cut short.
func plainCertificates(flight []byte) [][]byte {
	var messages []byte
	for len(flight) >= 5 && flight[0] == recordHandshake {
		n := int(flight[3])<<8 | int(flight[4])
		if len(flight) < 5+n {
			break
		}
		messages = append(messages, flight[5:5+n]...)
		flight = flight[5+n:]
	}
	for len(messages) >= 4 {
		n := int24(messages[1:])
		if len(messages) < 4+n {
			return nil
		}
		if messages[0] == messageCertificate {
			return certificateList(messages[4 : 4+n])
		}
		messages = messages[4+n:]
	}
	return nil
}

// certificateList splits the body of a Certificate message (RFC 5246 §7.4.2).
func certificateList(b []byte) [][]byte {
	if len(b) < 3 || int24(b) != len(b)-3 {
		return nil
	}
	b = b[3:]
	var list [][]byte
	for len(b) >= 3 {
		n := int24(b)
		if len(b) < 3+n {
			return nil
		}
		list = append(list, append([]byte(nil), b[3:3+n]...))
		b = b[3+n:]
	}
	return list
}

func int24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
