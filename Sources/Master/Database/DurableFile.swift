internal import Glibc

/// Files that are on the disk under their name, or not at all.
enum DurableFile {
    /// A name beside a path, of this process alone.
    static func aside(_ path: String) -> String {
        "\(path).\(getpid()).\(UInt32.random(in: .min ... .max)).new"
    }

    /// Makes an empty file that only its owner may read.
    static func makePrivate(_ path: String) throws(MasterDatabaseError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if file < 0 { throw problem(path) }
        close(file)
    }

    /// Moves a finished file to its name, replacing what is there, once its bytes are on the disk.
    static func place(_ aside: String, at path: String) throws(MasterDatabaseError) {
        try sync(aside, O_RDONLY)
        guard rename(aside, path) == 0 else { throw problem(path) }
        try sync(folder(of: path), O_RDONLY | O_DIRECTORY)
    }

    /// A path followed by a number, at which nothing is.
    static func freeName(_ path: String) throws(MasterDatabaseError) -> String {
        for number in 1...1000 {
            let name = "\(path)-\(number)"
            if access(name, F_OK) != 0 { return name }
        }
        throw .cannotWrite(path: "\(path)-1000", reason: "there are 1000 such files")
    }

    /// The folder that a path is in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Waits until a file or folder is on the disk.
    static func sync(_ path: String, _ flags: Int32 = O_RDONLY) throws(MasterDatabaseError) {
        let file = open(path, flags | O_CLOEXEC)
        if file < 0 { throw problem(path) }
        defer { close(file) }
        if fsync(file) != 0 { throw problem(path) }
    }

    /// What the last error of the system means for a path.
    static func problem(_ path: String) -> MasterDatabaseError {
        let number = errno
        if number == ENOSPC || number == EDQUOT { return .noSpace(path: path) }
        return .cannotWrite(path: path, reason: String(cString: strerror(number)))
    }
}
