package unique

// NetworkName is what Location.Network says of a file system with a magic number of statfs(2).
var NetworkName = networkName
