internal import CFiles
internal import Glibc

/// What a path is and when it was last changed, as far as the file system tells without reading it.
package struct FileStamp: Sendable, Hashable {
    /// What a path can be.
    package enum Kind: UInt8, Sendable {
        case file = 1
        case folder = 2
        case link = 3
        /// A socket, a pipe or a device.
        case other = 4
    }

    /// Whether it is a file, a folder, a link or something else.
    package var kind: Kind
    /// Type and permission bits of `st_mode`.
    package var mode: UInt32
    package var inode: UInt64
    /// Bytes.
    package var size: Int64
    /// Nanoseconds since 1970 at which the content was last changed; can be set by anyone.
    package var modified: Int64
    /// Nanoseconds since 1970 at which anything was last changed; set by the kernel alone.
    package var changed: Int64

    /// Whether the owner may execute it.
    package var isExecutable: Bool { mode & 0o100 != 0 }

    /// `nil` when there is nothing.
    init?(_ stamp: danube_stamp) {
        guard let kind = Kind(letter: stamp.kind) else { return nil }
        self.kind = kind
        mode = stamp.mode
        inode = stamp.inode
        size = stamp.size
        modified = stamp.modified
        changed = stamp.changed
    }

    init(kind: Kind, mode: UInt32, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
        self.kind = kind
        self.mode = mode
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }
}

extension FileStamp.Kind {
    /// The kind behind the letter of the C side; `nil` when unknown.
    init?(letter: CChar) {
        switch UInt8(bitPattern: letter) {
        case UInt8(ascii: "f"): self = .file
        case UInt8(ascii: "d"): self = .folder
        case UInt8(ascii: "l"): self = .link
        case UInt8(ascii: "o"): self = .other
        default: return nil
        }
    }

    /// The letter of the C side.
    var letter: CChar {
        switch self {
        case .file: CChar(UInt8(ascii: "f"))
        case .folder: CChar(UInt8(ascii: "d"))
        case .link: CChar(UInt8(ascii: "l"))
        case .other: CChar(UInt8(ascii: "o"))
        }
    }
}
