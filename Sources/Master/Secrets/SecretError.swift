/// Why a secret, or the key of secrets, cannot be used. No case carries a value.
package enum SecretError: Error, Sendable, Equatable {
    /// A name that no secret can have.
    case badName(String)
    /// A scope of a name that no team or pipeline can have.
    case badScope(String)
    /// A branch pattern or event of a restriction.
    case badRestriction(String)
    /// A value of more than 64 KiB, or of none.
    case badSize(SecretID, bytes: Int)
    /// There is no such secret where it was looked for.
    case missing(String)
    /// It is there, and is not given for this job.
    case denied(SecretID, SecretDenial)
    /// What is stored is not what was sealed under this scope, name, version, restriction and key.
    case altered(SecretID)
    /// It was sealed with a key that the key file does not have.
    case unknownKey(SecretID, key: String)
    /// A rotation of the key runs already.
    case rotationRuns
    /// The key file has wider permissions than 0600.
    case keyFileMode(path: String, mode: UInt32)
    /// The key file belongs to somebody else.
    case keyFileOwner(path: String, owner: UInt32)
    /// The key file is not whole, or of a newer version.
    case keyFileFormat(path: String, problem: String)
    /// The system refused to read or write the key file.
    case keyFileSystem(path: String, action: String, reason: String)

    /// What happened, in a sentence.
    package var message: String {
        switch self {
        case .badName(let name): "`\(name)` is no name for a secret."
        case .badScope(let scope): "`\(scope)` is no scope for a secret."
        case .badRestriction(let problem): problem
        case .badSize(let id, let bytes):
            bytes == 0
                ? "The value of `\(id)` is empty."
                : "The value of `\(id)` has \(bytes) bytes; 65536 are allowed."
        case .missing(let name): "There is no secret `\(name)`."
        case .denied(let id, let denial): "`\(id)` is not given: \(denial.message)"
        case .altered(let id): "The stored value of `\(id)` was altered, or belongs elsewhere."
        case .unknownKey(let id, let key):
            "`\(id)` was sealed with the key \(key), which is not in the key file."
        case .rotationRuns: "The key is being rotated already."
        case .keyFileMode(let path, let mode):
            "Others may read \(path): its mode is 0\(String(mode, radix: 8))."
        case .keyFileOwner(let path, let owner): "\(path) belongs to the user \(owner)."
        case .keyFileFormat(let path, let problem): "\(path) cannot be used: \(problem)"
        case .keyFileSystem(let path, let action, let reason):
            "Cannot \(action) \(path): \(reason)."
        }
    }

    /// The next action.
    package var hint: String? {
        switch self {
        case .badName: "A name has letters, digits and _, and does not begin with a digit."
        case .badScope: "A scope is `global`, `team:NAME` or `pipeline:NAME`."
        case .badRestriction, .badSize, .denied: nil
        case .missing: "Set it with `danube secret set`."
        case .altered: "Set it again with `danube secret set`."
        case .unknownKey: "Restore the key file that belongs to this database."
        case .rotationRuns: "Wait until that has ended."
        case .keyFileMode(let path, _): "If nobody else has read it: chmod 600 \(path)."
        case .keyFileOwner(let path, _): "Start the master as that user, or chown \(path)."
        case .keyFileFormat: "Restore it from a backup. Without it no secret can be read."
        case .keyFileSystem: nil
        }
    }
}
