package unique

import "golang.org/x/sys/unix"

// networkKinds are the magic numbers of statfs(2).
var networkKinds = map[uint32]string{
	unix.NFS_SUPER_MAGIC:  "nfs",
	unix.SMB_SUPER_MAGIC:  "smb",
	unix.SMB2_SUPER_MAGIC: "smb",
	unix.CIFS_SUPER_MAGIC: "cifs",
	unix.AFS_SUPER_MAGIC:  "afs",
	unix.AFS_FS_MAGIC:     "afs",
	unix.CODA_SUPER_MAGIC: "coda",
	unix.CEPH_SUPER_MAGIC: "ceph",
	unix.V9FS_MAGIC:       "9p",
	unix.FUSE_SUPER_MAGIC: "fuse, perhaps remote",
}

// networkKind names the network file system that p is on, "" if none is known. The directory itself may not exist yet.
func networkKind(p place) string {
	var st unix.Statfs_t
	if unix.Statfs(p.dir(), &st) != nil && unix.Statfs(p.base, &st) != nil {
		return ""
	}
	return networkKinds[uint32(st.Type)]
}
