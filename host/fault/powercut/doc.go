// Package powercut knows what a disk may hold after its power was cut. It reads
// the file-system calls below one directory from a recording by strace, replays
// them on a model of the disk, and draws from it what may be there after a cut
// at any place of the recording. Only tests use it; what a host makes of such a
// home, they judge themselves.
//
// The model is harsher than ext4, XFS or btrfs are:
//   - A file keeps what was written before the beginning of an fsync or
//     fdatasync of it that has returned. Of everything later any subset may be
//     there: a sector of 512 bytes is written whole or not at all, in any order,
//     across files too. A call under way counts as later.
//   - A file that grew may have kept its old length, any sector's end in
//     between, or the new length with zeros where a sector did not arrive.
//   - A name that was made, moved or removed is so once its directory was
//     fsynced; fsync of the file does not count. Of later changes any subset may
//     hold. Each is atomic: after a rename at least one of the names is there.
//   - What was synced is there. A disk that lies, or loses what it held, is
//     another fault.
package powercut
