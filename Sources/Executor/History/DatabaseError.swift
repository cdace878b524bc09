/// Why a database cannot be used. Every case names the file.
package enum DatabaseError: Error, Equatable, CustomStringConvertible {
    /// The file cannot be opened or made.
    case cannotOpen(path: String, reason: String)
    /// Another process has held the lock for longer than the wait.
    case busy(path: String)
    /// The file system has no space left, or a quota is used up.
    case full(path: String)
    /// Reading or writing failed.
    case io(path: String, reason: String)
    /// The file is no database, or damaged.
    case corrupt(path: String, reason: String)
    /// The file was written by a later version of danube.
    case newer(path: String, found: Int, known: Int)
    /// A row breaks a rule of the schema.
    case constraint(path: String, reason: String)
    /// The statement is wrong, or used wrongly: a bug of ours.
    case misuse(path: String, reason: String)

    /// One sentence without a full stop.
    package var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "\(path) cannot be opened: \(reason)"
        case .busy(let path): "\(path) is locked by another process"
        case .full(let path): "no space is left for \(path)"
        case .io(let path, let reason): "\(path) cannot be read or written: \(reason)"
        case .corrupt(let path, let reason): "\(path) is damaged: \(reason)"
        case .newer(let path, let found, let known):
            "\(path) has format \(found), written by a newer danube (this one knows \(known))"
        case .constraint(let path, let reason): "\(path) refuses a row: \(reason)"
        case .misuse(let path, let reason): "\(path) was used wrongly: \(reason)"
        }
    }

    /// The next action for a person.
    package var hint: String {
        switch self {
        case .cannotOpen: "Check that the folder exists and is yours."
        case .busy: "Wait for the other danube to end, then try again."
        case .full: "Free some space, then try again."
        case .io: "Check the file system; `dmesg` may say more."
        case .corrupt(let path, _): "Move \(path) and its -wal and -shm away; a new one is made."
        case .newer: "Install the newer danube, or set XDG_STATE_HOME and XDG_CACHE_HOME elsewhere."
        case .constraint, .misuse: "This is a bug of danube: please report it."
        }
    }
}
