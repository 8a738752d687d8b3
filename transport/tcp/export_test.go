package tcp

// Split is split, for the fuzz test.
var Split = split
