internal import CFiles
internal import Glibc

internal import struct Executor.Timestamp

/// What the system says of a file. Swift knows `stat` under the name of whichever module was
/// imported first, so the rest of the master asks here.
struct FileFacts {
    /// What it is.
    enum Kind {
        case file, folder, link, other
    }

    /// A number of errno.
    struct Failure: Error {
        let number: Int32
    }

    let kind: Kind
    let size: Int64
    /// Permission bits.
    let mode: UInt32
    /// The user it belongs to.
    let owner: UInt32
    /// When its content was changed, and when anything about it.
    let modified: Timestamp
    let changed: Timestamp

    /// Of an open file.
    init(of descriptor: Int32) throws(Failure) {
        var stamp = danube_stamp()
        let error = danube_stamp(descriptor, &stamp)
        guard error == 0 else { throw Failure(number: -error) }
        self.init(stamp)
    }

    /// Of a name in an open folder, or of a path; a link is not followed.
    init(
        of path: [CChar], in folder: Int32 = AT_FDCWD
    ) throws(Failure) {
        var stamp = danube_stamp()
        let error = danube_stamp_at(folder, path, &stamp)
        guard error == 0 else { throw Failure(number: -error) }
        self.init(stamp)
    }

    /// Of a path; a link is not followed.
    init(of path: String) throws(Failure) { try self.init(of: Array(path.utf8CString)) }

    private init(_ stamp: danube_stamp) {
        kind =
            switch UInt8(bitPattern: stamp.kind) {
            case UInt8(ascii: "f"): .file
            case UInt8(ascii: "d"): .folder
            case UInt8(ascii: "l"): .link
            default: .other
            }
        size = stamp.size
        mode = stamp.mode & 0o7777
        owner = stamp.owner
        modified = Timestamp(microseconds: stamp.modified / 1000)
        changed = Timestamp(microseconds: stamp.changed / 1000)
    }
}
