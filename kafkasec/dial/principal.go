package dial

import (
	"errors"
	"fmt"
)

// Principal says who brokers take the client for, where its settings alone tell:
// with PLAIN and SCRAM "User:" and the user name, without a login
// "User:ANONYMOUS" (DefaultKafkaPrincipalBuilder, 4.4). Certificates, tokens and
// OAUTHBEARER are mapped by the brokers, who do not tell how, and so are an error.
func (c Config) Principal() (string, error) {
	switch {
	case c.Protocol.sasl() && c.Mechanism == OAuthBearer:
		return "", errors.New("the principal of an OAUTHBEARER login is in its token: it has to be given")
	case c.Protocol.sasl() && c.DelegationToken:
		return "", errors.New("the principal of a delegation token is its owner: it has to be given")
	case c.Protocol.sasl() && c.Username == "":
		return "", fmt.Errorf("the settings for %s have no user name: the principal has to be given", c.Mechanism)
	case c.Protocol.sasl():
		return "User:" + c.Username, nil
	case c.Protocol.tls() && c.TLS != nil && (len(c.TLS.Certificates) > 0 || c.TLS.GetClientCertificate != nil):
		return "", errors.New("the brokers make the principal of a certificate by rules that they do not tell: it has to be given")
	}
	return "User:ANONYMOUS", nil
}
