package curve

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A Certificate is a key pair, or a public key alone, with metadata: what CZMQ's
// zcert keeps in a file and pyzmq's zmq.auth reads and writes as well.
type Certificate struct {
	// Public is the public key.
	Public PublicKey
	// Secret is the secret key, or zero if only the public one is known.
	Secret SecretKey
	// Metadata is whatever the owner wants to be known by, such as "name" and
	// "email". Names have letters, digits and $-_@.&+/; values have one line.
	Metadata map[string]string
}

const (
	publicComment = `#   ZeroMQ CURVE Public Certificate
#   Exchange securely, or use a secure mechanism to verify the contents
#   of this file after exchange. Whoever has it may talk to its owner.

`
	secretComment = `#   ZeroMQ CURVE **Secret** Certificate
#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.

`
)

// text returns c as a file has it, with the secret key or without.
func (c *Certificate) text(secret bool) (string, error) {
	if c.Public == (PublicKey{}) {
		return "", errors.New("curve: certificate without a public key: make one with GenerateKey")
	}
	metadata := &zplNode{name: "metadata"}
	for _, name := range slices.Sorted(maps.Keys(c.Metadata)) {
		metadata.children = append(metadata.children, &zplNode{name: name, value: c.Metadata[name]})
	}
	keys := &zplNode{name: "curve", children: []*zplNode{{name: "public-key", value: c.Public.String()}}}
	comment := publicComment
	if secret {
		if !c.Secret.Public().Equal(c.Public) {
			return "", errNotAPair
		}
		comment = secretComment
		keys.children = append(keys.children, &zplNode{name: "secret-key", value: c.Secret.Z85()})
	}
	root := &zplNode{children: []*zplNode{metadata, keys}}
	text, err := root.text()
	if err == nil && len(comment+text) > maxZPL {
		err = fmt.Errorf("curve: certificate of %d bytes: the limit is %d", len(comment+text), maxZPL)
	}
	return comment + text, err
}

var errNotAPair = errors.New("curve: the secret key of the certificate is not that of its public key")

// parseCertificate reads what text writes, or what CZMQ and pyzmq do. The secret
// key is read only if it is asked for, and is then required.
func parseCertificate(text string, secret bool) (*Certificate, error) {
	root, err := parseZPL(text)
	if err != nil {
		return nil, err
	}
	c := new(Certificate)
	if c.Public, err = ParsePublicKey(root.get("curve", "public-key")); err != nil {
		return nil, fmt.Errorf("%w (public-key in the section curve)", err)
	}
	if secret {
		if c.Secret, err = ParseSecretKey(root.get("curve", "secret-key")); err != nil {
			return nil, fmt.Errorf("%w (secret-key in the section curve)", err)
		}
		if !c.Secret.Public().Equal(c.Public) {
			return nil, errNotAPair
		}
	}
	if metadata := root.child("metadata"); metadata != nil {
		for _, n := range metadata.children {
			if c.Metadata == nil {
				c.Metadata = make(map[string]string)
			}
			c.Metadata[n.name] = n.value
		}
	}
	return c, nil
}
