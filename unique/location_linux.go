package unique

import "golang.org/x/sys/unix"

// networkKind names the network file system that p is on, "" if none is known, by the magic number of statfs(2). The
// directory itself may not exist yet.
func networkKind(p place) string {
	var st unix.Statfs_t
	if unix.Statfs(p.dir(), &st) != nil && unix.Statfs(p.base, &st) != nil {
		return ""
	}
	return networkName(uint32(st.Type))
}

// networkName names the file system with a magic number, "" if it is not known to be one of a network.
func networkName(magic uint32) string {
	switch magic {
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "smb"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "afs"
	case unix.CODA_SUPER_MAGIC:
		return "coda"
	case unix.CEPH_SUPER_MAGIC:
		return "ceph"
	case unix.V9FS_MAGIC:
		return "9p"
	case unix.FUSE_SUPER_MAGIC:
		return "fuse, perhaps remote"
	}
	return ""
}
