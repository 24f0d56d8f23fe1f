package tlsprobe

import "github.com/holdfast-sec/holdfast"

// The published controls that findings stand for: those of transport encryption
// (every endpoint speaks TLS) and those of its quality (version, suites, and the
// validity of certificates). Editions as named; PCI DSS 4 numbers differ from
// those of 3.2.1.
var (
	transportRefs = []holdfast.Control{
		iso("A.8.20"), iso("A.8.24"), iso("A.5.14"), pci("4.2.1"), pci("2.2.7"), hipaa("312(e)(1)"), hipaa("312(e)(2)(ii)"),
		{Framework: "gdpr", Version: "2016/679", ID: "32(1)(a)"}, soc2("CC6.7"), nist("SC-8"), nist("SC-8(1)"),
	}
	qualityRefs = []holdfast.Control{
		iso("A.8.24"), pci("4.2.1"), pci("4.2.1.1"), pci("12.3.3"), hipaa("312(e)(2)(i)"),
		{Framework: "gdpr", Version: "2016/679", ID: "32(1)(a)"}, soc2("CC6.1"), soc2("CC6.7"), nist("SC-13"), nist("SC-17"),
	}
)

func iso(id string) holdfast.Control {
	return holdfast.Control{Framework: "iso-27001", Version: "2022", ID: id}
}
func pci(id string) holdfast.Control {
	return holdfast.Control{Framework: "pci-dss", Version: "4.0.1", ID: id}
}
func hipaa(id string) holdfast.Control {
	return holdfast.Control{Framework: "hipaa", Version: "45-cfr-164", ID: "164." + id}
}
func soc2(id string) holdfast.Control {
	return holdfast.Control{Framework: "soc2-tsc", Version: "2017", ID: id}
}
func nist(id string) holdfast.Control {
	return holdfast.Control{Framework: "nist-800-53", Version: "r5", ID: id}
}

// refsOf returns the controls of a reason.
func refsOf(code Code) []holdfast.Control {
	switch code {
	case PlaintextPeer, UpgradeRefused, PlaintextInjection, ClientCertificateRequired, ClientCertificateRefused:
		return transportRefs
	}
	return qualityRefs
}
