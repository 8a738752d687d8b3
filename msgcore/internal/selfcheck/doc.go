// Package selfcheck has no code. Its tests look at the module as a whole: who
// imports whom, and whether the programs in README compile and do what it says.
package selfcheck
