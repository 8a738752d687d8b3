// A program that does nothing but exit with the number of its arguments and one:
// what no second launch of a Go program can be faster than.
package main

import "os"

func main() { os.Exit(len(os.Args) - 2) }
