internal import Glibc

internal import struct Executor.JobID

/// The folder in which a master keeps everything, held by one master at a time.
final class DataFolder: Sendable {
    /// Why a folder cannot be used.
    enum Problem: Error, Equatable, CustomStringConvertible {
        case cannotMake(path: String, reason: String)
        case inUse(path: String)

        var description: String {
            switch self {
            case .cannotMake(let path, let reason): "cannot make \(path): \(reason)"
            case .inUse(let path): "another master uses \(path)"
            }
        }

        /// The next action for a person.
        var hint: String {
            switch self {
            case .cannotMake: "Name another folder with --data, or make it writable."
            case .inUse: "Stop that one (`danube drain`), or name another folder with --data."
            }
        }
    }

    let path: String
    private let lock: Int32

    /// Makes the folder where it is missing, and holds it.
    init(_ path: String) throws(Problem) {
        self.path = path
        try Self.makeFolders(path)
        let name = "\(path)/lock"
        lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            throw .cannotMake(path: name, reason: String(cString: strerror(errno)))
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw .inUse(path: path)
        }
    }

    deinit { close(lock) }

    /// Makes a data folder and the folders in it, where they are missing.
    static func makeFolders(_ path: String) throws(Problem) {
        for part in ["", "/jobs", "/mirrors"] { try make(path + part) }
    }

    /// The names of what is in the folder of jobs, in no order; none where it cannot be read.
    static func jobNames(in path: String) -> [String] {
        guard let folder = opendir("\(path)/jobs") else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The folder of a job.
    func job(_ id: JobID) -> String { "\(path)/jobs/\(id.text)" }

    /// Where the slots are that all jobs share.
    var slots: String { "\(path)/slots" }

    /// Where mirrors of repositories are.
    var mirrors: String { "\(path)/mirrors" }

    private static func make(_ path: String) throws(Problem) {
        var place = ""
        for component in path.split(separator: "/") {
            place += "/\(component)"
            guard mkdir(place, 0o700) == 0 || errno == EEXIST else {
                throw .cannotMake(path: place, reason: String(cString: strerror(errno)))
            }
        }
    }
}
