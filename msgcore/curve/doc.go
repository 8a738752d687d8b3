// Package curve implements the CURVE security mechanism (RFC 25 and RFC 26): each
// side proves who it is by a Curve25519 key, and nobody between them can read,
// change, repeat or reorder what they say.
//
// A server needs a key pair, and a client the server's public key and a pair of
// its own:
//
//	public, secret, err := curve.GenerateKey()
//	if err != nil {
//		return err
//	}
//	rep := msgcore.NewRep(&msgcore.Options{Mechanism: curve.Server(secret)})
//	...
//	req := msgcore.NewReq(&msgcore.Options{Mechanism: curve.Client(mine, public)})
//
// Keys are written as text in Z85 (RFC 32), and kept in files by [Certificate] in
// the format of CZMQ's certificates, which other languages' bindings read as well.
//
// A server admits every client that knows its public key. Options.Authorize narrows
// that down: it is given the client's public key, whose secret half the client has
// shown to own.
//
// # Where this is stricter than libzmq
//
//   - HELLO's padding, version and sealed zeros are checked, reserved bits of a
//     frame's flags are refused, and so is a public key of low order, with which
//     any third party could read along.
//   - A server keeps nothing but one random key of a connection between WELCOME
//     and INITIATE: the rest comes back with the cookie.
//   - Whatever is wrong with a command, the peer sees the connection close and the
//     error on this side is the same, so that neither tells which check failed.
package curve
