// Package inproc is the transport between the goroutines of one process, for
// endpoints such as "inproc://workers". Importing it registers the scheme.
//
// An address is any text that is not empty; "*" listens under a fresh name. Names
// live in Options.Space, or in one that the whole process shares. Whoever dials
// a name that nobody has yet waits for it.
//
// There are two ways to use a name, of which its first user chooses one. Dial
// and Listen make a byte stream, as any transport does. Announce and Meet
// ([transport.Rendezvous]) only bring the two sides together, and let them
// share memory as they like: that is what msgcore does, so that its messages cross
// from one socket's queue to another's without having been bytes.
package inproc
