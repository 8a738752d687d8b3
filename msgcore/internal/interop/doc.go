// Package interop holds tests only: that messages pass unchanged between this
// library and the ZeroMQ bindings of other languages.
package interop
