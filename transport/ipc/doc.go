// Package ipc is the transport for endpoints such as "ipc:///run/app/queue":
// sockets of the AF_UNIX family, on every system that has them. Importing it
// registers the scheme.
//
// An address is one of
//
//   - the path of a socket file, absolute or relative to the working directory.
//     Its length is limited by the system, to 107 bytes on Linux and Windows and
//     103 on macOS and the BSDs;
//   - "@name", a name in Linux's abstract name space, which leaves no file behind
//     but has no permissions either: any process of the network name space can
//     connect, or take the name first;
//   - "*", to listen on a fresh socket in a fresh private directory below the
//     temporary one; both are removed by Close.
//
// # Listening
//
// Listen never takes a path away from a live process. Where a socket file is in
// the way, Listen asks the kernel whether some process still has it open, by
// connecting to it; only "connection refused" means that it is stale. Looking,
// removing and binding happen under an exclusive flock(2) of the directory, so of
// several processes that find the same stale file one wins and the others are told
// that the address is in use. The lock is on the directory itself because a
// lock file would be litter that nobody may ever remove, and in a directory like
// /tmp one that its first owner keeps from everybody else. Where the directory
// cannot be locked, because it is not readable or its file system has no
// locks, Listen works but removes nothing. Windows, Solaris and AIX, which
// cannot lock a directory, lock the file path+".lock" instead.
//
// Close removes the socket file only if it is still the one that Listen made, by
// device and inode, and under the same lock.
//
// # Who may connect
//
// The socket file has mode 0600 from the moment it can be connected to, whatever
// the umask, so that only the same user and root can; a program that wants others
// to connect changes the mode after Listen, or puts the socket into a directory
// that tells them apart. Not every system heeds the mode of a socket: a
// private directory is what protects on all of them. Options.Credentials, which
// is asked about every peer, decides by the kernel's word: pid, uid and gid on
// Linux and macOS, uid and gid on FreeBSD, nothing (all -1) elsewhere.
package ipc
